import { WHOLE_PRESET } from "../../src/engine/roundings.ts";

/** What most measurements are asked with. */
export const RULES = { arithmetic: "eager", roundings: WHOLE_PRESET, calibration: null, served: false } as const;
