/** Where a row comes from. */
export const GPU_TABLE_SOURCE =
  "NVML-reported memory: ai-dynamo/aiconfigurator systems/*.yaml, stas00/ml-engineering accelerator tables, 2026-08";

/** One GPU that a model may be served on. */
export interface Gpu {
  readonly name: string;
  /** Bytes that the driver reports: less than the label's, and what an engine can use. */
  readonly memoryBytes: number;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** GPUs by reported memory, smallest first. Looked up, not measured: see `GPU_TABLE_SOURCE`. */
export const GPUS: readonly Gpu[] = [
  { name: "T4 16 GB", memoryBytes: 15_360 * MIB },
  { name: "A10 24 GB", memoryBytes: 23_028 * MIB },
  { name: "L4 24 GB", memoryBytes: 23_034 * MIB },
  { name: "RTX 4090 24 GB", memoryBytes: 24 * GIB },
  { name: "RTX 5090 32 GB", memoryBytes: 31.8 * GIB },
  { name: "A100 40 GB", memoryBytes: 40_960 * MIB },
  { name: "L40S 48 GB", memoryBytes: 46_068 * MIB },
  { name: "H100 SXM 80 GB", memoryBytes: 81_559 * MIB },
  { name: "A100 80 GB", memoryBytes: 81_920 * MIB },
  { name: "H200 141 GB", memoryBytes: 143_771 * MIB },
  { name: "MI300X 192 GB", memoryBytes: 192 * GIB },
];

/** The GPU a plan starts with: the smallest that clouds offer everywhere. */
export const DEFAULT_GPU = "L4 24 GB";
