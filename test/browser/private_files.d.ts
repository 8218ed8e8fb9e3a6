// What Deno's types leave out of the web's private file system and of a page's history, for tests of
// the tab's own modules.

interface FileSystemFileHandle {
  readonly kind: "file";
  getFile(): Promise<File>;
}

interface FileSystemDirectoryHandle {
  readonly kind: "directory";
  getDirectoryHandle(
    name: string,
    options?: { readonly create?: boolean },
  ): Promise<FileSystemDirectoryHandle>;
  getFileHandle(
    name: string,
    options?: { readonly create?: boolean },
  ): Promise<FileSystemFileHandle>;
  removeEntry(name: string): Promise<void>;
  keys(): AsyncIterableIterator<string>;
  values(): AsyncIterableIterator<FileSystemFileHandle | FileSystemDirectoryHandle>;
}

interface Navigator {
  readonly storage: { getDirectory(): Promise<FileSystemDirectoryHandle> };
}

declare const history: {
  readonly state: unknown;
  replaceState(state: unknown, unused: string, url?: string): void;
  pushState(state: unknown, unused: string, url?: string): void;
};
