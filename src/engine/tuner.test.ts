import { expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import type { Device, DeviceBuffer, VariantChoice, VariantTable } from "../device/device.ts";
import { type AnyKernel, call, type KernelCall } from "../device/kernel.ts";
import { createReferenceDevice } from "../device/reference/reference-device.ts";
import { createMemoryStore } from "../formats/stores/memory-store.ts";
import { minMax } from "../kernels/stats/min_max.ts";
import type { Store } from "./store.ts";
import { Tuner } from "./tuner.ts";
import type { Tuning } from "./tuning-trials.ts";

const KERNEL = minMax as unknown as AnyKernel;

const TUNING: Tuning = {
  kernel: KERNEL,
  trials: () => [
    {
      inputs: [new Uint8Array(64).fill(7), new Uint8Array(16)],
      callOn: (buffers) => call(minMax, { element: "bf16" }, { elements: 32, groupSize: 16 }, buffers),
    },
  ],
};

/** What the forms of a made device cost, and what is wrong with them. */
interface Forms {
  /** Milliseconds of a run. */
  readonly default: number;
  readonly workgroup: number;
  readonly subgroup: number;
  readonly wrong?: string;
  readonly failing?: string;
  /** The form under which the device is lost. */
  readonly deadly?: string;
}

interface Made {
  readonly device: Device;
  readonly now: () => number;
  /** Forms that ran, in order. */
  readonly ran: string[];
}

function madeDevice(forms: Forms, { isSoftware = false, adapterKey = "a GPU" } = {}): Made {
  const reference = createReferenceDevice();
  const ran: string[] = [];
  let clock = 0;
  let choice: VariantChoice = { variant: "default", why: null };
  let isBroken = false;
  const variants: VariantTable = {
    adapterKey,
    isSoftware,
    runnable: () => ["workgroup", "subgroup"],
    use: (_kernel, next) => {
      choice = next;
    },
    choiceOf: () => choice,
    reset: (why) => {
      const isOther = choice.variant !== "default";
      if (isOther) choice = { variant: "default", why };
      return isOther;
    },
  };
  const failure = (code: "kernel/failed" | "device/lost") =>
    new LabError({ code, doing: "computing", found: code, allowed: "", advice: "" });
  const check = () => {
    if (isBroken || choice.variant === forms.deadly) {
      isBroken = true;
      throw failure("device/lost");
    }
    if (choice.variant === forms.failing) throw failure("kernel/failed");
  };
  const device: Device = {
    ...reference,
    kind: "webgpu",
    variants,
    run: (calls: readonly KernelCall<DeviceBuffer>[]) => {
      ran.push(...calls.map(() => choice.variant));
      clock += calls.length * forms[choice.variant as "default"];
      reference.run(calls);
    },
    settle: async () => check(),
    read: async (buffer, size) => {
      check();
      const bytes = await reference.read(buffer, size);
      return choice.variant === forms.wrong ? bytes.map((byte) => byte ^ 1) : bytes;
    },
  };
  return { device, now: () => clock, ran };
}

async function tuned(made: Made, store: Store = createMemoryStore()): Promise<VariantChoice | undefined> {
  await new Tuner(store, made.now, [TUNING]).tune(made.device);
  return made.device.variants?.choiceOf(KERNEL);
}

test.each([
  [{ default: 3, workgroup: 2, subgroup: 1 }, "subgroup"],
  [{ default: 3, workgroup: 1, subgroup: 2 }, "workgroup"],
  [{ default: 1, workgroup: 2, subgroup: 2 }, "default"],
  // Less than noise.
  [{ default: 1, workgroup: 0.99, subgroup: 0.97 }, "default"],
  [{ default: 3, workgroup: 2, subgroup: 1, wrong: "subgroup" }, "workgroup"],
  [{ default: 3, workgroup: 2, subgroup: 1, failing: "subgroup" }, "workgroup"],
])("of forms at %j it takes %s", async (forms: Forms, expected) => {
  const choice = await tuned(madeDevice(forms));
  expect(choice?.variant).toBe(expected);
  expect(choice?.why).toContain(`default took ${forms.default.toPrecision(3)} ms`);
  if (forms.wrong || forms.failing) expect(choice?.why).toContain("subgroup fails or differs");
});

test("a form that is far slower is run twice: to see whether it is right, and how slow", async () => {
  const { ran, ...made } = madeDevice({ default: 1, workgroup: 500, subgroup: 0.5 });
  await tuned({ ran, ...made });
  expect(ran.filter((form) => form === "workgroup")).toHaveLength(2);
  expect(ran.filter((form) => form === "subgroup").length).toBeGreaterThan(4);
});

test("a software adapter is left as it is, at no cost, and the choice says so", async () => {
  const made = madeDevice({ default: 3, workgroup: 2, subgroup: 1 }, { isSoftware: true });
  const choice = await tuned(made);
  expect([choice?.variant, made.ran.length]).toEqual(["default", 0]);
  expect(choice?.why).toContain("a software adapter");
});

test("the next visit takes what was found, on this adapter only, while the shaders are the same", async () => {
  const forms = { default: 3, workgroup: 2, subgroup: 1 };
  const store = createMemoryStore();
  const first = await tuned(madeDevice(forms), store);
  const again = madeDevice(forms);
  expect(await tuned(again, store)).toEqual(first);
  expect(again.ran).toEqual([]);
  const other = madeDevice(forms, { adapterKey: "another GPU" });
  await tuned(other, store);
  expect(other.ran.length).toBeGreaterThan(0);
  const changed = madeDevice(forms);
  const kernel = { ...KERNEL, wgsl: `${KERNEL.wgsl}\n` };
  await new Tuner(store, changed.now, [{ ...TUNING, kernel }]).tune(changed.device);
  expect(changed.ran.length).toBeGreaterThan(0);
});

test.each([
  ["no JSON", () => "{"],
  ["another's entry", (text: string) => text.replace("a GPU", "a TPU")],
  ["older rules", (text: string) => text.replace('"rules":1', '"rules":0')],
  ["a form that there is not", (text: string) => text.replaceAll('"subgroup"', '"warp"')],
  ["a time that is none", (text: string) => text.replace(/"subgroup":[\d.]+/, '"subgroup":"fast"')],
  ["a choice without its time", (text: string) => text.replace(/,"subgroup":[\d.]+/, "")],
])("an entry that is %s is passed over", async (_, damage) => {
  const forms = { default: 3, workgroup: 2, subgroup: 1 };
  const store = createMemoryStore();
  await tuned(madeDevice(forms), store);
  const [entry] = await store.list();
  const key = entry?.key ?? "";
  const text = new TextDecoder().decode((await store.get(key)) ?? undefined);
  expect(damage(text)).not.toBe(text);
  await store.put(key, new TextEncoder().encode(damage(text)));
  const made = madeDevice(forms);
  expect((await tuned(made, store))?.variant).toBe("subgroup");
  expect(made.ran.length).toBeGreaterThan(0);
});

test("a form that takes the device with it is not tried on the next one, nor on the next visit", async () => {
  const forms = { default: 3, workgroup: 2, subgroup: 1, deadly: "subgroup" };
  const store = createMemoryStore();
  const first = madeDevice(forms);
  const tuner = new Tuner(store, first.now, [TUNING]);
  await tuner.tune(first.device);
  expect(first.device.variants?.choiceOf(KERNEL)).toMatchObject({ variant: "default" });
  for (const next of [tuner, new Tuner(store, first.now, [TUNING])]) {
    const made = madeDevice(forms);
    await next.tune(made.device);
    expect(made.ran).toEqual([]);
    expect(made.device.variants?.choiceOf(KERNEL).why).toContain("the device was lost");
  }
});

test("a device is tuned once, and what time does not allow for keeps its default", async () => {
  const made = madeDevice({ default: 40, workgroup: 20, subgroup: 30 });
  const second: Tuning = { ...TUNING, kernel: { ...KERNEL, name: "stats/other" } };
  const store = createMemoryStore();
  const tuner = new Tuner(store, made.now, [TUNING, second]);
  const uses: [string, VariantChoice][] = [];
  const { variants } = made.device;
  if (!variants) throw new Error("a made device has variants");
  const device = {
    ...made.device,
    variants: {
      ...variants,
      use: (kernel: AnyKernel, choice: VariantChoice) => {
        uses.push([kernel.name, choice]);
        variants.use(kernel, choice);
      },
    },
  };
  await Promise.all([tuner.tune(device), tuner.tune(device)]);
  const ran = made.ran.length;
  await tuner.tune(device);
  expect(made.ran.length).toBe(ran);
  expect(uses.filter(([name]) => name === "stats/other")).toEqual([
    ["stats/other", { variant: "default", why: expect.stringContaining("no time left") }],
  ]);
});

test("what is rejected later is not taken again", async () => {
  const forms = { default: 3, workgroup: 2, subgroup: 1 };
  const store = createMemoryStore();
  const made = madeDevice(forms);
  const tuner = new Tuner(store, made.now, [TUNING]);
  await tuner.tune(made.device);
  expect(await tuner.reject(made.device, "it is wrong")).toBe(true);
  expect(made.device.variants?.choiceOf(KERNEL)).toEqual({ variant: "default", why: "it is wrong" });
  expect(await tuner.reject(made.device, "again")).toBe(false);
  const next = await tuned(madeDevice(forms), store);
  expect(next).toMatchObject({ variant: "default", why: expect.stringContaining("subgroup fails or differs") });
});
