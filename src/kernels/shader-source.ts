const files: Readonly<Record<string, string>> = import.meta.glob("../../shaders/**/*.wgsl", {
  query: "?raw",
  import: "default",
  eager: true,
});

/**
 * The WGSL of a computation, `// include: lib/x.wgsl` lines replaced by the file they name.
 * @param name family and stem: `quant/int_scale`
 */
export function shaderSource(name: string): string {
  return fileText(`${name}.wgsl`).replace(/^\/\/ include: (\S+)$/gm, (_line, path: string) => fileText(path));
}

function fileText(path: string): string {
  const text = files[`../../shaders/${path}`];
  if (text === undefined) throw new Error(`no shader file shaders/${path}`);
  return text;
}
