// A text thread in Node.
import { parentPort } from "node:worker_threads";
import { serve } from "./text-thread.mjs";

serve(parentPort);
