import type { FloatName } from "../base/float-format.ts";

/** Two groups of 8 weights, rounded to the format first. */
export const GOLDEN_WEIGHTS: readonly (readonly number[])[] = [
  [-3, 1, 0.2, -0.7, 2.9, -1.4, 0.05, -2.2],
  [0.1, 0.9, 0.35, 0.02, 1.7, -0.3, 0.66, 1.2],
];

type GoldenRow = readonly [
  element: FloatName,
  bits: number,
  symmetric: boolean,
  /** Bits in the format. */
  scales: readonly number[],
  zeroPoints: readonly number[],
  /** Packed codes of each group. */
  words: readonly (readonly number[])[],
];

/**
 * What the real tool makes of them under eager.
 * Source: compressed-tensors 0.19 `calculate_qparams`, `quantize` and `pack_to_int32`, run on torch 2.13, CPU.
 */
export const GOLDEN: readonly GoldenRow[] = [
  ["bf16", 2, true, [0x4000, 0x3f91], [], [[0x67a8], [0xfbae]]],
  ["bf16", 2, false, [0x3ffc, 0x3f2b], [0, -2], [[0x67ac], [0x9314]]],
  ["bf16", 3, true, [0x3f5b, 0x3ef9], [], [[0x317728], [0xd5f974]]],
  ["bf16", 3, false, [0x3f58, 0x3e92], [0, -3], [[0x317728], [0xac72a1]]],
  ["bf16", 4, true, [0x3ecd, 0x3e69], [], [[0x284f68a0], [0xdb7f8ac8]]],
  ["bf16", 4, false, [0x3eca, 0x3e09], [0, -6], [[0x284f69b0], [0xb70f2593]]],
  [
    "bf16",
    5,
    true,
    [0x3e46, 0x3de1],
    [],
    [
      [0x13f646a0, 0x2c],
      [0x9bf84f11, 0xdd],
    ],
  ],
  [
    "bf16",
    5,
    false,
    [0x3e43, 0x3d84],
    [0, -11],
    [
      [0x13f646a0, 0x24],
      [0xc1f2aa67, 0xc3],
    ],
  ],
  [
    "bf16",
    6,
    true,
    [0x3dc3, 0x3d5d],
    [],
    [
      [0x7e662a80, 0x2614],
      [0xbf826c62, 0xdac6],
    ],
  ],
  [
    "bf16",
    6,
    false,
    [0x3dc0, 0x3d02],
    [0, -22],
    [
      [0x7f662ac0, 0x2214],
      [0x3f2d598d, 0xc1f0],
    ],
  ],
  [
    "bf16",
    7,
    true,
    [0x3d42, 0x3cdc],
    [],
    [
      [0xd6312a81, 0x250517],
      [0xf8337144, 0xdb65af],
    ],
  ],
  [
    "bf16",
    7,
    false,
    [0x3d3e, 0x3c81],
    [0, -45],
    [
      [0xf6312b00, 0x210517],
      [0xf28a6619, 0xc0f407],
    ],
  ],
  [
    "bf16",
    8,
    true,
    [0x3cc1, 0x3c5b],
    [],
    [
      [0x6288aa00, 0x228245fc],
      [0x829ac388, 0xdab26aff],
    ],
  ],
  [
    "bf16",
    8,
    false,
    [0x3cbe, 0x3c01],
    [1, -90],
    [
      [0x638aac00, 0x228345fe],
      [0x28529832, 0xbf7a00fe],
    ],
  ],
  ["f16", 2, true, [0x4000, 0x3c89], [], [[0x67a8], [0xfbae]]],
  ["f16", 2, false, [0x3fdd, 0x3955], [0, -2], [[0x67ac], [0x9314]]],
  ["f16", 3, true, [0x3adb, 0x37c6], [], [[0x317728], [0xd5f974]]],
  ["f16", 3, false, [0x3abe, 0x3492], [0, -3], [[0x317728], [0xac72a1]]],
  ["f16", 4, true, [0x3666, 0x3341], [], [[0x284f68a0], [0xdb7f8ac8]]],
  ["f16", 4, false, [0x364b, 0x3044], [0, -6], [[0x284f69b0], [0xb70f2593]]],
  [
    "f16",
    5,
    true,
    [0x3232, 0x2f05],
    [],
    [
      [0x13f646a1, 0x2c],
      [0x9bf84f11, 0xdd],
    ],
  ],
  [
    "f16",
    5,
    false,
    [0x3217, 0x2c21],
    [0, -11],
    [
      [0x13f646a0, 0x24],
      [0xc1f2aa67, 0xc3],
    ],
  ],
  [
    "f16",
    6,
    true,
    [0x2e18, 0x2ae9],
    [],
    [
      [0x7e662a80, 0x2614],
      [0xbf826c62, 0xdac6],
    ],
  ],
  [
    "f16",
    6,
    false,
    [0x2dfe, 0x2810],
    [0, -23],
    [
      [0x7f662ac0, 0x2614],
      [0x3f29494c, 0xbde0],
    ],
  ],
  [
    "f16",
    7,
    true,
    [0x2a0c, 0x26db],
    [],
    [
      [0xd6312a80, 0x230517],
      [0xf8337144, 0xdb65af],
    ],
  ],
  [
    "f16",
    7,
    false,
    [0x29f2, 0x2408],
    [1, -45],
    [
      [0xf6516b80, 0x25091f],
      [0xf28a6619, 0xbef407],
    ],
  ],
  [
    "f16",
    8,
    true,
    [0x2606, 0x22d4],
    [],
    [
      [0x6288aa00, 0x238244fb],
      [0x829ac487, 0xdab26aff],
    ],
  ],
  [
    "f16",
    8,
    false,
    [0x25ec, 0x2004],
    [2, -90],
    [
      [0x648bad00, 0x238445ff],
      [0x29539933, 0xbf7a00ff],
    ],
  ],
  ["f32", 2, true, [0x40000000, 0x3f911111], [], [[0x67a8], [0xfbae]]],
  ["f32", 2, false, [0x3ffbbbbc, 0x3f2aaaab], [0, -2], [[0x67ac], [0x9314]]],
  ["f32", 3, true, [0x3f5b6db7, 0x3ef8af8b], [], [[0x317728], [0xd5f974]]],
  ["f32", 3, false, [0x3f57c57d, 0x3e924925], [0, -3], [[0x317728], [0xac72a1]]],
  ["f32", 4, true, [0x3ecccccd, 0x3e681b4f], [], [[0x284f68a0], [0xdb7f8ac8]]],
  ["f32", 4, false, [0x3ec962fd, 0x3e088889], [0, -6], [[0x284f69b0], [0xb70f2593]]],
  [
    "f32",
    5,
    true,
    [0x3e46318c, 0x3de09e8e],
    [],
    [
      [0x13f646a0, 0x2c],
      [0x9bf84f11, 0xdd],
    ],
  ],
  [
    "f32",
    5,
    false,
    [0x3e42e3ec, 0x3d842108],
    [0, -11],
    [
      [0x13f646a0, 0x24],
      [0xc1f2aa67, 0xc3],
    ],
  ],
  [
    "f32",
    6,
    true,
    [0x3dc30c31, 0x3d5d0dd1],
    [],
    [
      [0x7e662a80, 0x2614],
      [0xbf826c62, 0xdac6],
    ],
  ],
  [
    "f32",
    6,
    false,
    [0x3dbfcbfd, 0x3d020821],
    [0, -23],
    [
      [0x7f662ac0, 0x2614],
      [0x3f29494c, 0xbde0],
    ],
  ],
  [
    "f32",
    7,
    true,
    [0x3d418306, 0x3cdb503a],
    [],
    [
      [0xd6312a80, 0x230517],
      [0xf8337144, 0xdb65af],
    ],
  ],
  [
    "f32",
    7,
    false,
    [0x3d3e4960, 0x3c810204],
    [1, -45],
    [
      [0xf6516b80, 0x25091f],
      [0xf28a6619, 0xbef407],
    ],
  ],
  [
    "f32",
    8,
    true,
    [0x3cc0c0c1, 0x3c5a740e],
    [],
    [
      [0x6288aa00, 0x228245fb],
      [0x819ac488, 0xdab26aff],
    ],
  ],
  [
    "f32",
    8,
    false,
    [0x3cbd8a57, 0x3c008081],
    [2, -90],
    [
      [0x648bad00, 0x238445ff],
      [0x29539933, 0xbf7a00ff],
    ],
  ],
];
