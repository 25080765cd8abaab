import { expect, test } from "vitest";
import { choiceOf, filesOf } from "./picked-files.ts";

const file = (path: string): { path: string; file: File } => ({
  path,
  file: new File(["x"], path.split("/").at(-1) ?? path),
});

test("a folder gives its name and paths without it", () => {
  const choice = choiceOf([file("my-model/config.json"), file("my-model/model.safetensors")]);
  expect(choice.name).toBe("my-model");
  expect(choice.kind === "files" && choice.files.map((entry) => entry.path)).toEqual([
    "config.json",
    "model.safetensors",
  ]);
});

test("a folder in a folder keeps the part in which its files differ", () => {
  const choice = choiceOf([file("hub/snapshot/config.json"), file("hub/snapshot/sub/model.safetensors")]);
  expect(choice.name).toBe("snapshot");
  expect(choice.kind === "files" && choice.files[1]?.path).toBe("sub/model.safetensors");
});

test("loose files take the first file's name", () => {
  expect(choiceOf([file("model.safetensors"), file("config.json")]).name).toBe("model");
});

test("hidden files and folders are left out", () => {
  const choice = choiceOf([file("m/.git/config"), file("m/model.safetensors"), file("m/.DS_Store")]);
  expect(choice.kind === "files" && choice.files.map((entry) => entry.path)).toEqual(["model.safetensors"]);
});

test("nothing is a typed error", () => {
  expect(() => choiceOf([])).toThrow(expect.objectContaining({ code: "source/nothing-picked" }));
});

test("a home folder is a typed error", () => {
  const many = Array.from({ length: 5001 }, (_, index) => file(`home/${index}`));
  expect(() => choiceOf(many)).toThrow(expect.objectContaining({ code: "source/too-many-files" }));
});

test("a file list without folders uses plain names", () => {
  const plain = Object.assign(new File(["x"], "a.safetensors"), { webkitRelativePath: "" });
  expect(filesOf([plain])[0]?.path).toBe("a.safetensors");
});
