import { SeededRandom } from "../../base/random.ts";
import { elementWords } from "../elements.ts";
import { dirty, ELEMENTS, fillWeights, qparamsOfWeights, SHAPES } from "../int-inputs.ts";
import { codeWords, elementsOf, type IntShape } from "../int-params.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { intDequantize } from "./int_dequantize.ts";

export const intDequantizeCases: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  [2, 3, 4, 5, 6, 7, 8].flatMap((bits) =>
    [true, false].flatMap((symmetric) =>
      [
        { storedBits: bits, offset: 2 ** (bits - 1) },
        { storedBits: 8, offset: 0 },
      ].map((storage, index) => {
        const shape = SHAPES[(bits + 2 * index) % SHAPES.length] as IntShape;
        const random = new SeededRandom(bits + 200);
        const codes = new Uint32Array(codeWords(shape, storage.storedBits)).map(() => random.nextUint32());
        const { scales, zeroPoints } = qparamsOfWeights(fillWeights(shape, element, bits + 200), shape, {
          element,
          bits,
          symmetric,
        });
        const outputWords = elementWords(elementsOf(shape), element);
        return kernelCase(intDequantize, {
          name: `${element} from int${bits} in ${storage.storedBits} bits, ${symmetric ? "symmetric" : "asymmetric"}, ${shape.streams} × ${shape.streamLength} in groups of ${shape.groupSize}`,
          source: { element, symmetric, ...storage },
          shape,
          inputs: [codes, scales, zeroPoints, dirty(outputWords)],
          outputWords,
        });
      }),
    ),
  ),
);
