import { serve } from "./compute-thread.mjs";

// A compute thread in the browser.
serve(self);
