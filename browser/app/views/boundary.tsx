import { Component, type ComponentChildren } from "preact";
import { reason } from "../../../core/error.ts";

interface Props {
  /** For the sentence: "the receipt". */
  readonly what: string;
  readonly children: ComponentChildren;
}

/** What cannot be shown breaks its own place, not the page: the input is untrusted. */
export class Boundary extends Component<Props, { readonly error?: unknown }> {
  override state: { readonly error?: unknown } = {};

  static override getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return <p class="problem" role="note">Cannot show {this.props.what}: {reason(error)}</p>;
  }
}
