// Brings a part of the page into view that is still growing, such as a run whose pictures are to come. Whoever scrolls or
// presses something on the way stays where they are.
const NEAR = 20; // pixels from the top of the screen at which the part has arrived

export function follow(part) {
  const left = new AbortController();
  const growing = new ResizeObserver(() => {
    const { top } = part.getBoundingClientRect();
    if (Math.abs(top) < NEAR) left.abort();
    else part.scrollIntoView({ behavior: "smooth" });
  });
  left.signal.addEventListener("abort", () => growing.disconnect());
  for (const own of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(own, () => left.abort(), { signal: left.signal, passive: true });
  }
  growing.observe(part);
}
