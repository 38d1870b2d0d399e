// One map, flat: zoomed and moved, beside its source, with the Gaussians over it.

import { FLAT_FRAGMENT, FLAT_VERTEX, RING_FRAGMENT, RING_VERTEX, link } from './shaders.js';

const MODES = ['decoded', 'split', 'source', 'difference'];
const INK = [1, 0.42, 0.05, 0.65];
const MOST_ZOOM = 64; // pixels per texel

export class FlatView {
    constructor(gl) {
        this.gl = gl;
        this.program = link(gl, FLAT_VERTEX, FLAT_FRAGMENT);
        this.rings = link(gl, RING_VERTEX, RING_FRAGMENT);
        this.array = gl.createVertexArray();
        this.buffer = gl.createBuffer();
        this.ringCount = 0;
        gl.bindVertexArray(this.array);
        gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
        [[4, 0], [1, 16]].forEach(([count, offset], place) => {
            gl.enableVertexAttribArray(place);
            gl.vertexAttribPointer(place, count, gl.FLOAT, false, 20, offset);
            gl.vertexAttribDivisor(place, 1);
        });
        gl.bindVertexArray(null);
        this.reset();
    }

    reset() {
        this.scale = 0; // pixels per texel; 0: all of it fits
        this.middle = null; // texel in the middle of the canvas
    }

    setFile(file) {
        const { gl } = this;
        gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
        gl.bufferData(gl.ARRAY_BUFFER, file.ellipses, gl.STATIC_DRAW);
        this.ringCount = file.ellipses.length / 5;
        this.size = [file.width, file.height];
        this.wrap = file.wrap;
        this.reset();
    }

    // Where the map lies: pixels per texel, and the texel in the middle.
    placed(width, height) {
        const fit = Math.min(width / this.size[0], height / this.size[1]) * 0.96;
        return { scale: this.scale || fit, middle: this.middle ?? this.size.map((side) => side / 2) };
    }

    texelAt(x, y, width, height) {
        const { scale, middle } = this.placed(width, height);
        return [(x - width / 2) / scale + middle[0], (y - height / 2) / scale + middle[1]];
    }

    pixelOf(texel, width, height) {
        const { scale, middle } = this.placed(width, height);
        return [(texel[0] - middle[0]) * scale + width / 2, (texel[1] - middle[1]) * scale + height / 2];
    }

    drag(dx, dy, width, height) {
        const { scale, middle } = this.placed(width, height);
        this.scale = scale;
        this.middle = middle.map((value, axis) => Math.min(this.size[axis], Math.max(0, value - [dx, dy][axis] / scale)));
    }

    zoom(factor, x, y, width, height) {
        const under = this.texelAt(x, y, width, height);
        const { scale } = this.placed(width, height);
        const least = Math.min(width / this.size[0], height / this.size[1]) / 4;
        this.scale = Math.min(MOST_ZOOM, Math.max(least, scale * factor));
        this.middle = [under[0] - (x - width / 2) / this.scale, under[1] - (y - height / 2) / this.scale];
    }

    // width and height are of the canvas in CSS pixels
    draw(map, look, width, height) {
        const { gl } = this;
        const { program, at } = this.program;
        const { scale, middle } = this.placed(width, height);
        const place = [(2 * scale) / width, (-2 * scale) / height, (-2 * scale * middle[0]) / width, (2 * scale * middle[1]) / height];
        gl.useProgram(program);
        gl.uniform4fv(at('place'), place);
        gl.uniform2fv(at('size'), this.size);
        [map.decoded, map.source ?? map.decoded].forEach((made, unit) => {
            gl.activeTexture(gl.TEXTURE0 + unit);
            gl.bindTexture(gl.TEXTURE_2D, made.texture);
        });
        gl.uniform1i(at('decoded'), 0);
        gl.uniform1i(at('source'), 1);
        gl.uniform1i(at('mode'), map.source ? MODES.indexOf(look.compare) : 0);
        gl.uniform1i(at('channel'), look.channel);
        gl.uniform1f(at('split'), look.split);
        gl.uniform1f(at('gain'), look.gain);
        gl.uniform1f(at('lod'), look.level);
        gl.uniform1f(at('pixels'), scale);
        gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
        if (look.gaussians && this.ringCount > 0) this.drawRings(place, width, height);
    }

    // Only over the picture: what lies beyond belongs to its other side, or to nothing.
    drawRings(place, width, height) {
        const { gl } = this;
        const pixels = gl.drawingBufferWidth / width;
        const [left, top] = this.pixelOf([0, 0], width, height);
        const [right, bottom] = this.pixelOf(this.size, width, height);
        gl.enable(gl.SCISSOR_TEST);
        gl.scissor(left * pixels, (height - bottom) * pixels, (right - left) * pixels, (bottom - top) * pixels);
        const { program, at } = this.rings;
        gl.useProgram(program);
        gl.uniform4fv(at('place'), place);
        gl.uniform4fv(at('ink'), INK);
        gl.enable(gl.BLEND);
        gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
        gl.bindVertexArray(this.array);
        const steps = (repeats) => (repeats ? [-1, 0, 1] : [0]);
        for (const i of steps(this.wrap.x)) {
            for (const j of steps(this.wrap.y)) {
                gl.uniform2f(at('beside'), i * this.size[0], j * this.size[1]);
                gl.drawArraysInstanced(gl.LINE_LOOP, 0, 32, this.ringCount);
            }
        }
        gl.bindVertexArray(null);
        gl.disable(gl.BLEND);
        gl.disable(gl.SCISSOR_TEST);
    }
}
