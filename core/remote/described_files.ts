import { ListedFiles, type ModelFiles } from "../model/mod.ts";
import type { ModelDescription } from "./messages.ts";

/** What the other end must know of a model to read it. @param url where it reads. */
export function describeFiles(files: ModelFiles, url: string): ModelDescription {
  const { name, location, variant, notices, adapters, controls } = files;
  const sizes = Object.fromEntries(files.paths.map((path) => [path, files.size(path)]));
  const tensors = files.tensors && Object.fromEntries(
    Object.entries(files.tensors).map(([folder, index]) => [folder, [...index.values()]]),
  );
  return {
    ...{ name, location, variant, sizes, url, tensors },
    notices: notices && [...notices],
    adapters: adapters && [...adapters],
    controls: controls && [...controls],
  };
}

/** A model's files at this end of a channel. */
export abstract class DescribedFiles extends ListedFiles {
  constructor({ sizes, tensors, ...model }: ModelDescription) {
    super(
      {
        ...model,
        tensors: tensors && Object.fromEntries(
          Object.entries(tensors).map(([folder, list]) => [
            folder,
            new Map(list.map((tensor) => [tensor.name, tensor])),
          ]),
        ),
      },
      new Map(Object.entries(sizes)),
    );
  }
}
