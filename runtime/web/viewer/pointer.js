// Mouse, pen and fingers on a canvas: one drags, two pinch, the wheel zooms. Places are in CSS pixels of the canvas.

export function followPointer(canvas, { press, drag, zoom, point, leave }) {
    const down = new Map(); // of each finger
    const place = (event) => {
        const box = canvas.getBoundingClientRect();
        return [event.clientX - box.left, event.clientY - box.top];
    };
    const spread = () => {
        const [a, b] = [...down.values()];
        return [Math.hypot(a[0] - b[0], a[1] - b[1]), (a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    };
    canvas.addEventListener('pointerdown', (event) => {
        canvas.setPointerCapture(event.pointerId);
        down.set(event.pointerId, place(event));
        if (down.size === 1) press(...place(event));
        point(...place(event));
    });
    canvas.addEventListener('pointermove', (event) => {
        const now = place(event);
        const before = down.get(event.pointerId);
        if (before === undefined) {
            point(...now);
        } else if (down.size === 1) {
            down.set(event.pointerId, now);
            drag(now[0] - before[0], now[1] - before[1], ...now);
        } else if (down.size === 2) {
            const [wide, x, y] = spread();
            down.set(event.pointerId, now);
            const [wider, toX, toY] = spread();
            if (wide > 0) zoom(wider / wide, toX, toY);
            drag(toX - x, toY - y, toX, toY);
        }
    });
    for (const kind of ['pointerup', 'pointercancel']) {
        canvas.addEventListener(kind, (event) => down.delete(event.pointerId));
    }
    canvas.addEventListener('pointerleave', () => leave());
    canvas.addEventListener('wheel', (event) => {
        event.preventDefault();
        zoom(Math.exp(-Math.max(-200, Math.min(200, event.deltaY)) * 0.002), ...place(event));
    }, { passive: false });
}
