import { describe, expect, test } from "vitest";
import { FakeBrowser } from "../../../tests/support/fake-opfs.ts";
import { clearOpfsWorkspaces, createOpfsWorkspace } from "./opfs-workspace.ts";

describe("createOpfsWorkspace", () => {
  test("has files that do not touch each other, zero where nothing was written", async () => {
    const browser = new FakeBrowser();
    const workspace = createOpfsWorkspace(browser.host());
    const [one, other] = await Promise.all([workspace.create(4), workspace.create(3)]);
    await other.write(0, Uint8Array.of(5, 6, 7));
    await one.write(1, Uint8Array.of(1, 2));
    expect([...(await one.read(0, 4))]).toEqual([0, 1, 2, 0]);
    expect([...(await other.read(1, 3, new ArrayBuffer(8)))]).toEqual([6, 7]);
    expect(browser.files.size).toBe(1);
  });

  test("leaves nothing when it is closed, and begins anew after that", async () => {
    const browser = new FakeBrowser();
    const workspace = createOpfsWorkspace(browser.host());
    await workspace.create(4);
    await workspace.close();
    await new Promise((resolve) => setTimeout(resolve));
    expect([browser.files.size, browser.locks.size]).toEqual([0, 0]);
    const file = await workspace.create(2);
    expect([...(await file.read(0, 2))]).toEqual([0, 0]);
    await workspace.close();
    await createOpfsWorkspace(browser.host()).close();
  });

  test("removes what a closed page left, never what another tab has", async () => {
    const browser = new FakeBrowser();
    browser.files.set("left over", new Uint8Array(3));
    const other = createOpfsWorkspace(browser.host());
    const file = await other.create(1);
    await file.write(0, Uint8Array.of(9));
    browser.files.set("left too", new Uint8Array(3));
    await clearOpfsWorkspaces(browser.host());
    await createOpfsWorkspace(browser.host()).create(1);
    expect([...browser.files.keys()]).toEqual(["file-0", "file-1"]);
    expect([...(await file.read(0, 1))]).toEqual([9]);
  });

  test("says how much is free where there is no room, and still has what there was room for", async () => {
    const browser = new FakeBrowser();
    browser.quotaBytes = 3000;
    const workspace = createOpfsWorkspace(browser.host());
    const file = await workspace.create(2000);
    await expect(workspace.create(2000)).rejects.toMatchObject({
      code: "run/no-room",
      found: "QuotaExceededError: full",
      advice: expect.stringContaining("may store 3.00 kB more"),
    });
    expect((await (await workspace.create(500)).read(0, 500)).length).toBe(500);
    browser.isSilent = true;
    await expect(workspace.create(2000)).rejects.toMatchObject({
      code: "run/no-room",
      found: "Error: 2500 bytes were given of 4500",
    });
    browser.quotaBytes = 100;
    await expect(file.write(90, new Uint8Array(20))).rejects.toMatchObject({ code: "run/no-room" });
  });

  test("stands in memory where the browser has no such file system", async () => {
    const host = new FakeBrowser().host();
    const getDirectory = () => Promise.reject(new DOMException("no", "SecurityError"));
    const none = { ...host, storage: { ...host.storage, getDirectory } };
    const workspace = createOpfsWorkspace(none);
    const file = await workspace.create(2);
    await file.write(1, Uint8Array.of(4));
    expect([...(await file.read(0, 2))]).toEqual([0, 4]);
    await workspace.close();
    await clearOpfsWorkspaces(none);
  });

  test("does not take memory instead of a full disk", async () => {
    const host = new FakeBrowser().host();
    const getDirectory = () => Promise.reject(new DOMException("full", "QuotaExceededError"));
    const workspace = createOpfsWorkspace({ ...host, storage: { ...host.storage, getDirectory } });
    await expect(workspace.create(2)).rejects.toMatchObject({ code: "run/no-room" });
    await workspace.close();
  });
});
