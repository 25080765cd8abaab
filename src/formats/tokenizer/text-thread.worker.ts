import { serve } from "./text-thread.mjs";

// A text thread in the browser.
serve(self);
