/** Where the choice is kept between visits. */
const KEY = "lab-theme";

type Theme = "light" | "dark";

/** Applies the theme chosen on an earlier visit; without one the system's stands. */
export function restoreTheme(): void {
  const kept = read();
  if (kept !== null) document.documentElement.dataset.theme = kept;
}

/** Turns light to dark and back. */
export function toggleTheme(): void {
  const chosen = document.documentElement.dataset.theme;
  const isDark = chosen === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : chosen === "dark";
  const next: Theme = isDark ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Storage may be refused; the choice then lasts as long as the page.
  }
}

function read(): Theme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null;
  }
}
