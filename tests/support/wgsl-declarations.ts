/** A resource that a shader declares, as it is written there. */
export interface ShaderBinding {
  readonly index: number;
  readonly name: string;
  readonly kind: "read" | "write" | "uniform";
}

/** Resources of group 0 in the order of their numbers. */
export function bindingsIn(wgsl: string): readonly ShaderBinding[] {
  const found = wgsl.matchAll(/^@group\(0\)\s*@binding\((\d+)\)\s*var<(\w+)(?:,\s*(\w+))?>\s*(\w+)\s*:/gm);
  return [...found]
    .map(([, index, space, access, name = ""]) => ({
      index: Number(index),
      name,
      kind:
        space === "uniform" ? ("uniform" as const) : access === "read_write" ? ("write" as const) : ("read" as const),
    }))
    .sort((one, other) => one.index - other.index);
}

/** Names of pipeline constants, sorted. */
export function overridesIn(wgsl: string): readonly string[] {
  return [...wgsl.matchAll(/^\s*(?:@id\(\d+\)\s*)?override\s+(\w+)/gm)].map(([, name = ""]) => name).sort();
}

/** The files that include lines name; throws where a line is not written as the resolver reads it. */
export function includesIn(wgsl: string): readonly string[] {
  return wgsl
    .split("\n")
    .filter((line) => /\binclude\s*:/.test(line))
    .map((line) => {
      const path = /^\/\/ include: (lib\/\w+\.wgsl)$/.exec(line)?.[1];
      if (!path) throw new Error(`not an include line: ${line}`);
      return path;
    });
}
