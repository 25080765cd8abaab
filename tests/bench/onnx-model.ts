// ONNX models of one node, as the bytes of their protocol buffers. Field numbers: `onnx/onnx.proto3` of onnx/onnx.

/** A constant of the model. */
export interface OnnxConstant {
  readonly name: string;
  readonly type: "float32" | "uint8";
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/** A node with one input "x" of float32 and one output "y" of float32. */
export interface OnnxNode {
  readonly operator: string;
  /** The empty text: ONNX's own operators. */
  readonly domain: string;
  readonly version: number;
  readonly attributes: Readonly<Record<string, number>>;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly constants: readonly OnnxConstant[];
}

const FLOAT = 1;
const UINT8 = 2;
const INT_ATTRIBUTE = 2;
const IR_VERSION = 8;
const OPSET = 17;

type Part = Uint8Array;

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

function number(field: number, value: number): Part {
  return Uint8Array.from([...varint(field * 8), ...varint(value)]);
}

function bytes(field: number, value: Uint8Array): Part {
  return joined([Uint8Array.from([...varint(field * 8 + 2), ...varint(value.byteLength)]), value]);
}

const text = (field: number, value: string): Part => bytes(field, new TextEncoder().encode(value));

const message = (field: number, ...parts: readonly Part[]): Part => bytes(field, joined(parts));

function joined(parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

/** ValueInfoProto of a float32 tensor. */
function value(field: number, name: string, dims: readonly number[]): Part {
  const shape = message(2, ...dims.map((dim) => message(1, number(1, dim))));
  return message(field, text(1, name), message(2, message(1, number(1, FLOAT), shape)));
}

export function onnxModel({
  operator,
  domain,
  version,
  attributes,
  x,
  y,
  constants,
}: OnnxNode): Uint8Array<ArrayBuffer> {
  const node = message(
    1,
    text(1, "x"),
    ...constants.map(({ name }) => text(1, name)),
    text(2, "y"),
    text(4, operator),
    ...Object.entries(attributes).map(([name, own]) =>
      message(5, text(1, name), number(3, own), number(20, INT_ATTRIBUTE)),
    ),
    text(7, domain),
  );
  const tensors = constants.map(({ name, type, dims, bytes: raw }) =>
    message(
      5,
      ...dims.map((dim) => number(1, dim)),
      number(2, type === "uint8" ? UINT8 : FLOAT),
      text(8, name),
      bytes(9, raw),
    ),
  );
  const opset = (name: string, of: number) => message(8, text(1, name), number(2, of));
  return joined([
    number(1, IR_VERSION),
    message(7, node, text(2, "bench"), ...tensors, value(11, "x", x), value(12, "y", y)),
    opset("", domain === "" ? version : OPSET),
    ...(domain === "" ? [] : [opset(domain, version)]),
  ]);
}
