import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { openHttpSource } from "./http-source.ts";

const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => (i * 3) % 256);

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server that answers ranges as it should, changed by `odd`. */
async function serve(odd: Partial<Behaviour> = {}): Promise<{ base: string; asked: string[] }> {
  const asked: string[] = [];
  const behaviour = { ...GOOD, ...odd };
  const listener: RequestListener = (request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.range ?? ""}`.trim());
    const { status, headers, body } = behaviour.answer(request);
    response.writeHead(status, headers);
    response.end(request.method === "HEAD" ? undefined : body);
  };
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { base: `http://127.0.0.1:${address.port}/page/`, asked };
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array;
}

interface Behaviour {
  answer(request: IncomingMessage): Answer;
}

function answerRange(request: IncomingMessage, bytes = BYTES, headers: Record<string, string> = {}): Answer {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (range === null)
    return { status: 200, headers: { ...headers, "content-length": String(bytes.length) }, body: bytes };
  const [start, end] = [Number(range[1]), Math.min(Number(range[2]) + 1, bytes.length)];
  const contentRange = `bytes ${start}-${end - 1}/${bytes.length}`;
  return { status: 206, headers: { ...headers, "content-range": contentRange }, body: bytes.subarray(start, end) };
}

const GOOD: Behaviour = { answer: (request) => answerRange(request) };

describe("openHttpSource", () => {
  test("asks for the size once and then for the ranges that are read", async () => {
    const { base, asked } = await serve();
    const source = await openHttpSource("../models/a%20b.safetensors", { base });
    expect(source).toMatchObject({ name: "a b.safetensors", sizeBytes: 1000 });
    const view = await source.read(10, 20, new ArrayBuffer(64));
    expect([...view]).toEqual([...BYTES.subarray(10, 20)]);
    expect((await source.read(5, 5)).length).toBe(0);
    expect(asked).toEqual(["HEAD /models/a%20b.safetensors", "GET /models/a%20b.safetensors bytes=10-19"]);
  });

  test("takes the whole file once where the server ignores ranges", async () => {
    const { base, asked } = await serve({
      answer: () => ({ status: 200, headers: { "content-length": "1000" }, body: BYTES }),
    });
    const source = await openHttpSource("/a", { base });
    for (const start of [0, 500]) {
      expect([...(await source.read(start, start + 10))]).toEqual([...BYTES.subarray(start, start + 10)]);
    }
    expect(asked).toHaveLength(2);
  });

  test("takes the size from a partial answer where HEAD tells none", async () => {
    const { base } = await serve({
      answer: (request) =>
        request.method === "HEAD" ? { status: 200, headers: { "transfer-encoding": "chunked" } } : answerRange(request),
    });
    const source = await openHttpSource("/a", { base });
    expect(source.sizeBytes).toBe(1000);
    expect([...(await source.read(998, 1000))]).toEqual([...BYTES.subarray(998)]);
  });

  test.each([
    "https://example.invalid/a",
    "//example.invalid/a",
    "file:///etc/passwd",
    "data:text/plain,a",
    "blob:http://127.0.0.1/a",
    "http://[",
  ])("refuses %s before any request", async (url) => {
    let requests = 0;
    const fetch = async (): Promise<Response> => {
      requests++;
      return new Response();
    };
    await expect(openHttpSource(url, { base: "http://127.0.0.1/", fetch })).rejects.toMatchObject({
      code: "source/foreign-origin",
    });
    expect(requests).toBe(0);
  });

  test.each<[string, string, Behaviour]>([
    ["source/not-found", "a missing file", { answer: () => ({ status: 404, headers: {} }) }],
    [
      "source/not-found",
      "the page of an application",
      { answer: () => ({ status: 200, headers: { "content-type": "text/html" } }) },
    ],
    ["source/unreadable", "a failing server", { answer: () => ({ status: 500, headers: {} }) }],
    [
      "source/unreadable",
      "a redirect",
      { answer: () => ({ status: 302, headers: { location: "http://127.0.0.1:1/" } }) },
    ],
  ])("answers %s for %s", async (code, _, behaviour) => {
    const { base } = await serve(behaviour);
    await expect(openHttpSource("/a", { base })).rejects.toMatchObject({ code });
  });

  test.each<[string, string, (request: IncomingMessage) => Answer]>([
    ["source/changed", "another size", (request) => answerRange(request, BYTES.subarray(0, 999), { etag: "1" })],
    ["source/changed", "another version", (request) => answerRange(request, BYTES, { etag: "2" })],
    [
      "source/unreadable",
      "another range",
      () => ({ status: 206, headers: { "content-range": "bytes 1-10/1000" }, body: BYTES.subarray(1, 11) }),
    ],
    [
      "source/unreadable",
      "fewer bytes than announced",
      () => ({ status: 206, headers: { "content-range": "bytes 0-9/1000" }, body: BYTES.subarray(0, 9) }),
    ],
  ])("answers %s when the server gives %s later", async (code, _, later) => {
    const { base } = await serve({
      answer: (request) => (request.method === "HEAD" ? answerRange(request, BYTES, { etag: "1" }) : later(request)),
    });
    const source = await openHttpSource("/a", { base });
    await expect(source.read(0, 10)).rejects.toMatchObject({ code });
  });
});

test("a small file is fetched once where the host keeps such files, a larger one by ranges", async () => {
  const { base, asked } = await serve();
  const small = await openHttpSource("/a", { base, keepUpToBytes: 1000 });
  expect(await small.read(10, 20)).toEqual(BYTES.slice(10, 20));
  expect(await small.read(0, 1000)).toEqual(BYTES);
  expect(asked).toEqual(["GET /a"]);
  const large = await openHttpSource("/a", { base, keepUpToBytes: 999 });
  expect(await large.read(10, 20)).toEqual(BYTES.slice(10, 20));
  expect(asked.at(-1)).toBe("GET /a bytes=10-19");
});
