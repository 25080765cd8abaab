import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Steps of the magnitude ramp, `--m0` good to `--m9` worst. */
export const MAGNITUDE_STEPS = 10;
/** Steps of the signed ramp, `--p0` most negative, `--p6` zero, `--p12` most positive. */
export const SIGN_STEPS = 13;

/** Number families and what is none of them; class names of scheme marks. */
const FAMILIES = ["orig", "int2", "int3", "int4", "int5", "int6", "int7", "int8"] as const;

/** Every colour a picture may use, each as opaque `#rrggbb`, so that a saved file needs no style sheet. */
export interface ChartTheme {
  readonly paper: string;
  readonly sunk: string;
  /** Ground on which something is beaten. */
  readonly beaten: string;
  readonly ink: string;
  readonly ink2: string;
  readonly ink3: string;
  readonly line: string;
  readonly line2: string;
  readonly line3: string;
  readonly hatch: string;
  readonly accent: string;
  readonly fail: string;
  /** Text on the near and on the far half of the magnitude ramp. */
  readonly onNear: string;
  readonly onFar: string;
  readonly magnitude: readonly string[];
  readonly sign: readonly string[];
  readonly families: Readonly<Record<string, string>>;
  readonly sans: string;
  readonly mono: string;
}

/** Where the tokens are read: a scheme of its own, so that print can be light on a dark page. */
type Scheme = "page" | "light";

/** Reads the tokens of `tokens.css` as they are now. */
export function readTheme(scheme: Scheme): ChartTheme {
  const probe = document.createElement("span");
  probe.hidden = true;
  probe.style.setProperty("forced-color-adjust", "none");
  if (scheme === "light") probe.style.colorScheme = "light";
  document.documentElement.append(probe);
  const style = getComputedStyle(probe);
  const canvas = document.createElement("canvas");
  canvas.width = 1;
  canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (pen === null) throw new Error("a canvas without a pen");
  const paint = (token: string): string => {
    probe.style.color = `var(--${token})`;
    pen.fillStyle = style.color;
    pen.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = pen.getImageData(0, 0, 1, 1).data;
    return `#${[red, green, blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
  };
  // What shows through is shown on paper.
  const solid = (token: string): string => {
    paint("paper");
    return paint(token);
  };
  const theme: ChartTheme = {
    paper: solid("paper"),
    sunk: solid("sunk"),
    beaten: solid("beaten"),
    ink: solid("ink"),
    ink2: solid("ink-2"),
    ink3: solid("ink-3"),
    line: solid("line"),
    line2: solid("line-2"),
    line3: solid("line-3"),
    hatch: solid("hatch"),
    accent: solid("accent"),
    fail: solid("fail"),
    onNear: solid("on-near"),
    onFar: solid("on-far"),
    magnitude: Array.from({ length: MAGNITUDE_STEPS }, (_, step) => solid(`m${step}`)),
    sign: Array.from({ length: SIGN_STEPS }, (_, step) => solid(`p${step}`)),
    families: Object.fromEntries(FAMILIES.map((family) => [family, solid(family)])),
    sans: style.getPropertyValue("--sans").trim(),
    mono: style.getPropertyValue("--mono").trim(),
  };
  probe.remove();
  return theme;
}

/** What changes colours: the system, the user's choice, printing. */
const MEDIA = ["(prefers-color-scheme: dark)", "(forced-colors: active)", "(prefers-contrast: more)", "print"] as const;

/** The theme of the page, one reading for all pictures. */
class ThemeSource {
  readonly #listeners = new Set<() => void>();
  readonly #print = matchMedia("print");
  #isPrinting = false;
  #theme: ChartTheme | null = null;

  constructor() {
    for (const query of MEDIA) matchMedia(query).addEventListener("change", this.#change);
    new MutationObserver(this.#change).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    window.addEventListener("beforeprint", () => this.#setPrinting(true));
    window.addEventListener("afterprint", () => this.#setPrinting(false));
  }

  /** On paper always the light one. */
  get theme(): ChartTheme {
    this.#theme ??= readTheme(this.isPrinting ? "light" : "page");
    return this.#theme;
  }

  get isPrinting(): boolean {
    return this.#isPrinting || this.#print.matches;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #setPrinting(isPrinting: boolean): void {
    this.#isPrinting = isPrinting;
    this.#change();
  }

  readonly #change = (): void => {
    this.#theme = null;
    for (const listener of this.#listeners) listener();
  };
}

let source: ThemeSource | null = null;

/** The colours of the page for an element that draws; it renders anew when they change. */
export class PageTheme implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #leave: () => void = () => {};

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  get current(): ChartTheme {
    source ??= new ThemeSource();
    return source.theme;
  }

  /** Whether the page is being put on paper. */
  get isPrinting(): boolean {
    source ??= new ThemeSource();
    return source.isPrinting;
  }

  hostConnected(): void {
    source ??= new ThemeSource();
    this.#leave = source.subscribe(() => this.#host.requestUpdate());
  }

  hostDisconnected(): void {
    this.#leave();
  }
}
