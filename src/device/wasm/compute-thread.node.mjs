// A compute thread in Node.
import { parentPort } from "node:worker_threads";
import { serve } from "./compute-thread.mjs";

serve(parentPort);
