import { readdirSync } from "node:fs";
import { headers } from "../../scripts/strict-headers.ts";
import { expect, test } from "./lab-page.ts";

test("every response carries the strict headers: pages, scripts, models, ranges, refusals", async ({ request }) => {
  const assets = readdirSync("dist/assets").map((name) => `/assets/${name}`);
  expect(assets.length).toBeGreaterThan(5);
  const responses = [
    await request.get("/"),
    await request.get("/no/such/page"),
    await request.get("/", { headers: { host: "elsewhere.test" } }),
    await request.fetch("/", { method: "OPTIONS", headers: { origin: "http://elsewhere.test" } }),
    await request.get(assets[0] ?? "", { headers: { range: "bytes=0-3" } }),
    ...(await Promise.all(assets.map((asset) => request.get(asset)))),
  ];
  expect(responses.map((response) => response.status())).toEqual(expect.arrayContaining([200, 206, 403]));
  for (const response of responses) {
    const found = response.headers();
    for (const [name, value] of Object.entries(headers())) {
      expect(found[name.toLowerCase()], `${name} of ${response.url()}, ${response.status()}`).toBe(value);
    }
  }
});
