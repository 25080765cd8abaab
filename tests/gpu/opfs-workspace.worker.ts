import * as Comlink from "comlink";
import { LabError } from "../../src/base/errors.ts";
import { clearOpfsWorkspaces, createOpfsWorkspace } from "../../src/formats/workspaces/opfs-workspace.ts";

const workspace = createOpfsWorkspace();

const api = {
  /** A file of these bytes, read again from its second byte on. */
  async keep(bytes: Uint8Array): Promise<readonly number[]> {
    const file = await workspace.create(bytes.length + 2);
    await file.write(1, bytes);
    return [...(await file.read(1, bytes.length + 2))];
  },
  async codeOf(sizeBytes: number): Promise<string> {
    const outcome = await workspace.create(sizeBytes).catch((thrown: unknown) => thrown);
    return outcome instanceof LabError ? `${outcome.code}: ${outcome.advice}` : "made";
  },
  clear: () => clearOpfsWorkspaces(),
  close: () => workspace.close(),
};

export type WorkspaceApi = typeof api;

Comlink.expose(api);
