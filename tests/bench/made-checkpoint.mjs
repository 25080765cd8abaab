// A checkpoint of random bf16 weights with heavy tails, large enough to tell a lab that streams from one that loads.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

const BLOCK_BYTES = 16 * 2 ** 20;

/** The matrices of a decoder layer, by where they stand in their names. */
const KINDS = [
  ...["q_proj", "k_proj", "v_proj", "o_proj"].map((kind) => `self_attn.${kind}`),
  ...["gate_proj", "up_proj", "down_proj"].map((kind) => `mlp.${kind}`),
];

/**
 * Writes a folder with config.json and model.safetensors of `matrices` matrices [rows, cols], one of a decoder layer or all
 * seven kinds of it.
 * Random blocks of 16 MiB repeat; nothing the lab does depends on them differing.
 */
export function makeCheckpoint(folder, { matrices, rows, cols, allKinds = false }) {
  mkdirSync(folder, { recursive: true });
  const bytes = 2 * rows * cols;
  const entries = Array.from({ length: matrices }, (_, index) => [
    `model.layers.${allKinds ? Math.floor(index / KINDS.length) : index}.${allKinds ? KINDS[index % KINDS.length] : "mlp.up_proj"}.weight`,
    { dtype: "BF16", shape: [rows, cols], data_offsets: [index * bytes, (index + 1) * bytes] },
  ]);
  const text = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, " ");
  header.writeBigUInt64LE(BigInt(header.length - 8));
  header.write(text, 8);
  const block = randomBlock();
  const file = openSync(join(folder, "model.safetensors"), "w");
  writeSync(file, header);
  for (let left = matrices * bytes; left > 0; left -= BLOCK_BYTES)
    writeSync(file, block, 0, Math.min(left, BLOCK_BYTES));
  closeSync(file);
  const config = {
    model_type: "llama",
    hidden_size: cols,
    num_attention_heads: 32,
    num_hidden_layers: allKinds ? Math.ceil(matrices / KINDS.length) : matrices,
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  return { fileBytes: header.length + matrices * bytes, largestTensorBytes: bytes };
}

function randomBlock() {
  const floats = new Float32Array(BLOCK_BYTES / 2);
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  for (let index = 0; index < floats.length; index++) {
    const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    floats[index] = normal * 0.02 * (uniform() < 0.002 ? 8 : 1);
  }
  const words = new Uint16Array(floats.buffer);
  const halves = new Uint16Array(floats.length);
  for (let index = 0; index < halves.length; index++) halves[index] = words[2 * index + 1];
  return Buffer.from(halves.buffer);
}
