import type {
  Attribute,
  Node,
  OnnxGraph,
  OnnxType,
  Value,
  Weight,
  WeightReference,
} from "./graph.ts";
import { TYPE_CODES } from "./onnx_writer.ts";

/** A tensor in a graph that is being built: what an operator gives and another takes. */
export interface Variable {
  readonly name: string;
}

/** The operators of opset 21: GroupNormalization with a scale a channel, and Gelu. */
const OPSET = 21;

interface Operator {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: "com.microsoft";
}

/** Builds a graph operator by operator, in the order in which they are computed. */
export class GraphBuilder {
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #weights = new Map<string, Weight>();
  readonly #references = new Map<string, WeightReference>();
  readonly #nodes: Node[] = [];
  #count = 0;

  input(value: Value): Variable {
    this.#inputs.push(value);
    return variable(value.name);
  }

  /** Gives a tensor out under a name; the same tensor may be given out under several. */
  output(value: Value, from: Variable): void {
    this.#nodes.push({ op: "Identity", inputs: [from.name], outputs: [value.name] });
    this.#outputs.push(value);
  }

  /** A weight by reference. One that was referred to before is the same. */
  reference(reference: WeightReference): Variable {
    this.#references.set(reference.name, reference);
    return variable(reference.name);
  }

  /** Numbers inside the graph, held once however often they are used. @param dims a list if left out. */
  constant(
    type: Weight["type"],
    values: readonly number[],
    dims: readonly number[] = [values.length],
  ): Variable {
    const key = `${type} [${dims}] ${values}`;
    const name = this.#weights.get(key)?.name ?? `constant.${this.#weights.size}`;
    this.#weights.set(key, { name, type, dims, values });
    return variable(name);
  }

  /** One operator with one output. @param inputs `undefined` leaves out an optional one. */
  op(op: string, inputs: readonly (Variable | undefined)[], operator: Operator = {}): Variable {
    return this.ops(op, inputs, 1, operator)[0];
  }

  /** One operator with several outputs. */
  ops(
    op: string,
    inputs: readonly (Variable | undefined)[],
    count: number,
    operator: Operator = {},
  ): readonly Variable[] {
    const outputs = Array.from({ length: count }, () => `${op}.${this.#count++}`);
    const names = inputs.map((input) => input?.name ?? "");
    this.#nodes.push({ op, inputs: names, outputs, ...operator });
    return outputs.map(variable);
  }

  cast(x: Variable, type: OnnxType): Variable {
    return this.op("Cast", [x], { attributes: { to: TYPE_CODES[type] } });
  }

  finish(): OnnxGraph {
    return {
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
      weights: [...this.#weights.values()],
      references: [...this.#references.values()],
      nodes: [...this.#nodes],
      opset: OPSET,
    };
  }
}

function variable(name: string): Variable {
  return { name };
}
