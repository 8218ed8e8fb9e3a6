import {
  type Attributes,
  context,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { reason } from "../../core/error.ts";

/**
 * Spans of our own among those of the runtime, which sends them where OTEL_EXPORTER_OTLP_ENDPOINT
 * says with OTEL_DENO=true. Without it nothing is recorded.
 */
const tracer = () => trace.getTracer("stepwise");

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Where a span belongs, in one line. @see https://www.w3.org/TR/trace-context/#traceparent-header */
export type TraceParent = string;

/** Of the span that is open here; undefined where there is none. */
export function traceParent(): TraceParent | undefined {
  const of = trace.getActiveSpan()?.spanContext();
  if (!of || !trace.isSpanContextValid(of)) return undefined;
  return `00-${of.traceId}-${of.spanId}-${of.traceFlags.toString(16).padStart(2, "0")}`;
}

/**
 * Does work as a span, with all that it calls below it.
 * @param parent of another process, or of before; default: the span that is open here.
 */
export async function traced<T>(
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  parent?: TraceParent,
): Promise<T> {
  return await tracer().startActiveSpan(name, { attributes }, within(parent), async (span) => {
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: reason(error) });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** A span of what is over. @param from and `to` are milliseconds since 1970. */
export function traceOf(
  name: string,
  { attributes = {}, from, to = Date.now(), parent }: {
    readonly attributes?: Attributes;
    readonly from: number;
    readonly to?: number;
    readonly parent?: TraceParent;
  },
): void {
  tracer().startSpan(name, { attributes, startTime: from }, within(parent)).end(to);
}

function within(parent: TraceParent | undefined) {
  const of = parent === undefined ? undefined : spanContextOf(parent);
  return of ? trace.setSpanContext(ROOT_CONTEXT, of) : context.active();
}

/** @returns undefined for what is no such line: whoever sent it is traced alone. */
function spanContextOf(parent: TraceParent): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(parent) ?? [];
  if (!traceId) return undefined;
  return { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true };
}
