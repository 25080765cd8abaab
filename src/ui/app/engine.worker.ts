import * as Comlink from "comlink";
import { createWorkerApi } from "../../engine/browser-host.ts";

// A null prototype: comlink reaches whatever hangs on the prototype chain of what it exposes.
Comlink.expose(Object.assign(Object.create(null), createWorkerApi(self)));
