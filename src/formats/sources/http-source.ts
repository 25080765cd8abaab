import { LabError, quote } from "../../base/errors.ts";
import type { ByteSource } from "../byte-source.ts";
import { createBlobSource } from "./blob-source.ts";
import {
  lastPart,
  MAX_READ_BYTES,
  sourceChanged,
  sourceNotFound,
  sourceUnreadable,
  viewForRange,
  wordsOf,
} from "./read-range.ts";

/** Where a page may read from. */
export interface HttpHost {
  /** The page's own address: relative URLs start here, and no other origin is read. */
  readonly base: string;
  /**
   * Files up to this size, or of a size the server does not tell, are fetched whole and kept as a blob: reading them goes
   * on offline. Default 0: none.
   */
  readonly keepUpToBytes?: number;
  /** Default the platform's `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * A file of the page's own origin, read by ranges, a small one kept if the host says so. A server that ignores ranges is
 * asked once and its whole answer kept as a blob. One request is made here.
 * @throws LabError `source/foreign-origin` before any request; `source/not-found`, `source/unreadable`
 */
export async function openHttpSource(url: string, host: HttpHost): Promise<ByteSource> {
  const address = sameOrigin(url, host.base);
  const name = nameOf(address);
  const ask = (method: string, headers: Record<string, string>): Promise<Response> =>
    request(name, address, host, method, headers);
  const { keepUpToBytes = 0 } = host;
  const head = await ask(keepUpToBytes > 0 ? "GET" : "HEAD", {});
  const size = readSize(head.headers.get("content-length"));
  // A compressed answer names no length; it is already on its way, so it is kept as well.
  const isKept = keepUpToBytes > 0 && (size === null || size <= keepUpToBytes);
  if (isKept) return createBlobSource(name, await takeBlob(name, head));
  // An answer left lying keeps its connection, and a browser has six.
  await head.body?.cancel();
  // A compressed answer's length is not the file's.
  if (size !== null && !head.headers.has("content-encoding")) {
    return new HttpSource(name, size, head.headers.get("etag"), ask);
  }
  const probe = await ask("GET", { range: "bytes=0-0" });
  if (probe.status === 206) {
    await probe.body?.cancel();
    const total = readTotal(probe);
    if (total === null) throw sourceUnreadable(name, "a partial answer without the size of the file");
    return new HttpSource(name, total, probe.headers.get("etag"), ask);
  }
  return createBlobSource(name, await takeBlob(name, probe));
}

class HttpSource implements ByteSource {
  readonly name: string;
  readonly sizeBytes: number;
  readonly #etag: string | null;
  readonly #ask: (method: string, headers: Record<string, string>) => Promise<Response>;
  #whole: Promise<ByteSource> | null = null;

  constructor(
    name: string,
    sizeBytes: number,
    etag: string | null,
    ask: (method: string, headers: Record<string, string>) => Promise<Response>,
  ) {
    this.name = name;
    this.sizeBytes = sizeBytes;
    this.#etag = etag;
    this.#ask = ask;
  }

  async read(start: number, end: number, into?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    const view = viewForRange(this, start, end, into);
    for (let from = start; from < end; from += MAX_READ_BYTES) {
      const to = Math.min(end, from + MAX_READ_BYTES);
      if (this.#whole !== null) return (await this.#whole).read(start, end, view.buffer);
      const answer = await this.#ask("GET", { range: `bytes=${from}-${to - 1}` });
      if (answer.status === 200) {
        this.#whole ??= this.#keepWhole(answer);
        return (await this.#whole).read(start, end, view.buffer);
      }
      await this.#takeRange(answer, from, to, view.subarray(from - start, to - start));
    }
    return view;
  }

  async #takeRange(answer: Response, start: number, end: number, place: Uint8Array): Promise<void> {
    const etag = answer.headers.get("etag");
    const range = answer.headers.get("content-range");
    const isSame = etag === this.#etag || etag === null || this.#etag === null;
    if (!isSame || readTotal(answer) !== this.sizeBytes) {
      await answer.body?.cancel();
      throw sourceChanged(this.name, "the server has another version of it now");
    }
    if (answer.status !== 206 || !range?.startsWith(`bytes ${start}-${end - 1}/`)) {
      await answer.body?.cancel();
      throw sourceUnreadable(this.name, `status ${answer.status} and range ${quote(range ?? "none")} from the server`);
    }
    const bytes = new Uint8Array(await orUnreadable(this.name, answer.arrayBuffer()));
    if (bytes.byteLength !== end - start) {
      throw sourceUnreadable(this.name, `${bytes.byteLength} bytes from the server instead of ${end - start}`);
    }
    place.set(bytes);
  }

  async #keepWhole(answer: Response): Promise<ByteSource> {
    const blob = await takeBlob(this.name, answer);
    if (blob.size !== this.sizeBytes) throw sourceChanged(this.name, `${blob.size} bytes where ${this.sizeBytes} were`);
    return createBlobSource(this.name, blob);
  }
}

async function request(
  name: string,
  address: URL,
  host: HttpHost,
  method: string,
  headers: Record<string, string>,
): Promise<Response> {
  const fetchUrl = host.fetch ?? ((url: string, init: RequestInit) => fetch(url, init));
  // A redirect could lead to another origin.
  const init: RequestInit = { method, headers, redirect: "error", mode: "same-origin", credentials: "same-origin" };
  const answer = await orUnreadable(name, fetchUrl(address.href, init));
  const isPage = answer.headers.get("content-type")?.startsWith("text/html") && !/\.html?$/.test(address.pathname);
  // Servers of one-page applications answer every unknown path with their page.
  if (answer.status === 404 || answer.status === 410 || isPage) {
    await answer.body?.cancel();
    throw sourceNotFound(name);
  }
  if (!answer.ok) {
    await answer.body?.cancel();
    throw sourceUnreadable(name, `status ${answer.status} from the server`);
  }
  return answer;
}

async function takeBlob(name: string, answer: Response): Promise<Blob> {
  return await orUnreadable(name, answer.blob());
}

async function orUnreadable<T>(name: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (thrown) {
    throw sourceUnreadable(name, wordsOf(thrown), thrown);
  }
}

function sameOrigin(url: string, base: string): URL {
  let address: URL | null = null;
  try {
    address = new URL(url, base);
  } catch {
    // Not a URL at all: refused below.
  }
  const isWeb = address?.protocol === "http:" || address?.protocol === "https:";
  if (address === null || !isWeb || address.origin !== new URL(base).origin) {
    throw new LabError({
      code: "source/foreign-origin",
      doing: "opening a file by its address",
      found: quote(url),
      allowed: "addresses of the page's own origin: the lab reads nothing else",
      advice: "download the file and open it from the disk",
    });
  }
  return address;
}

/** The last part of an address, decoded where that is possible. */
function nameOf(address: URL): string {
  const part = lastPart(address.pathname.replace(/\/$/, ""));
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function readSize(text: string | null): number | null {
  return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : null;
}

function readTotal(answer: Response): number | null {
  return readSize(answer.headers.get("content-range")?.split("/")[1] ?? null);
}
