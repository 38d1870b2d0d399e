// The material on a shape, in a light: drag turns, the wheel comes closer.

import { multiply } from './model.js';
import { SOLID_FRAGMENT, SOLID_VERTEX, link } from './shaders.js';

const SURROUNDINGS = { // linear light above, at eye level, below
    studio: [[1.1, 1.1, 1.15], [0.5, 0.5, 0.53], [0.16, 0.15, 0.15]],
    sky: [[0.35, 0.6, 1.2], [0.9, 1.0, 1.1], [0.16, 0.13, 0.1]],
    evening: [[0.16, 0.2, 0.4], [1.1, 0.5, 0.22], [0.07, 0.06, 0.06]],
    none: [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
};
const TINTS = ['none', 'level', 'slant'];
const NEAREST = 1.6;
const FARTHEST = 12;
const SIDES = 96;

export class SolidView {
    constructor(gl) {
        this.gl = gl;
        this.slanted = gl.getExtension('EXT_texture_filter_anisotropic');
        this.program = link(gl, SOLID_VERTEX, SOLID_FRAGMENT);
        this.shapes = { sphere: this.mesh(sphere()), cube: this.mesh(cube()), plane: this.mesh(plane()) };
        this.reset();
    }

    reset() {
        this.turn = 0.5;
        this.tip = 0.35;
        this.away = 3.2;
    }

    drag(dx, dy) {
        this.turn += dx * 0.01;
        this.tip = Math.min(1.5, Math.max(-1.5, this.tip + dy * 0.01));
    }

    zoom(factor) {
        this.away = Math.min(FARTHEST, Math.max(NEAREST, this.away / factor));
    }

    /** Takes what readModel gives, as the shape 'model'. */
    setModel(model) {
        const { gl } = this;
        const old = this.shapes.model;
        this.shapes.model = this.mesh(model);
        if (!old) return;
        gl.deleteVertexArray(old.array);
        old.buffers.forEach((buffer) => gl.deleteBuffer(buffer));
    }

    mesh({ points, corners }) {
        const { gl } = this;
        const [array, buffers] = [gl.createVertexArray(), [gl.createBuffer(), gl.createBuffer()]];
        gl.bindVertexArray(array);
        gl.bindBuffer(gl.ARRAY_BUFFER, buffers[0]);
        gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(points), gl.STATIC_DRAW);
        [3, 3, 4, 2].reduce((offset, count, place) => {
            gl.enableVertexAttribArray(place);
            gl.vertexAttribPointer(place, count, gl.FLOAT, false, 48, offset);
            return offset + 4 * count;
        }, 0);
        gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers[1]);
        gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, new Uint32Array(corners), gl.STATIC_DRAW);
        gl.bindVertexArray(null);
        return { array, buffers, count: corners.length };
    }

    // material: textures by slot; look: what the panel says
    draw(material, look, width, height) {
        const { gl } = this;
        const { program, at } = this.program;
        gl.enable(gl.DEPTH_TEST);
        gl.useProgram(program);
        const eye = [
            this.away * Math.cos(this.tip) * Math.sin(this.turn), this.away * Math.sin(this.tip),
            this.away * Math.cos(this.tip) * Math.cos(this.turn),
        ];
        const turn = look.shape === 'plane' ? lying() : identity();
        gl.uniformMatrix4fv(at('turn'), false, turn);
        gl.uniformMatrix4fv(at('project'), false, multiply(perspective(width / height), lookAt(eye)));
        gl.uniform1f(at('tiles'), look.tiles);
        gl.uniform3fv(at('eye'), eye);
        const [from, rise] = [look.turn, look.rise].map((degrees) => (degrees * Math.PI) / 180);
        gl.uniform3f(at('light'), Math.cos(rise) * Math.sin(from), Math.sin(rise), Math.cos(rise) * Math.cos(from));
        gl.uniform1f(at('strength'), look.strength);
        gl.uniform1f(at('green'), look.green);
        ['above', 'level', 'below'].forEach((name, i) => gl.uniform3fv(at(name), SURROUNDINGS[look.around][i]));
        gl.uniform2f(at('texels'), material.width, material.height);
        gl.uniform1f(at('cut'), material.hasAlpha ? 0.5 : -1);
        gl.uniform1i(at('tinted'), TINTS.indexOf(look.tint));
        gl.uniform1f(at('most'), look.filter);
        const slots = [['base_map', material.base], ['normal_map', material.normal], ['packed_map', material.packed], ['light_map', material.light]];
        slots.forEach(([name, made], unit) => {
            gl.activeTexture(gl.TEXTURE0 + unit);
            gl.bindTexture(gl.TEXTURE_2D, made?.texture ?? null);
            if (made && this.slanted) gl.texParameterf(gl.TEXTURE_2D, this.slanted.TEXTURE_MAX_ANISOTROPY_EXT, look.filter);
            gl.uniform1i(at(name), unit);
        });
        gl.uniform4iv(at('has'), slots.map(([, made]) => (made ? 1 : 0)));
        const shape = this.shapes[look.shape] ?? this.shapes.sphere;
        gl.bindVertexArray(shape.array);
        gl.drawElements(gl.TRIANGLES, shape.count, gl.UNSIGNED_INT, 0);
        gl.bindVertexArray(null);
        gl.disable(gl.DEPTH_TEST);
    }
}

// Points: position, normal, tangent and its side, coordinate. v grows downwards, as the picture's rows do.
function sphere() {
    const [points, corners] = [[], []];
    const rows = SIDES / 2;
    for (let j = 0; j <= rows; j += 1) {
        for (let i = 0; i <= SIDES; i += 1) {
            const [u, v] = [i / SIDES, j / rows];
            const [around, down] = [2 * Math.PI * u, Math.PI * v];
            const n = [Math.sin(down) * Math.sin(around), Math.cos(down), Math.sin(down) * Math.cos(around)];
            points.push(...n, ...n, Math.cos(around), 0, -Math.sin(around), 1, 2 * u, v);
            const at = j * (SIDES + 1) + i;
            if (i < SIDES && j < rows) corners.push(at, at + SIDES + 1, at + 1, at + 1, at + SIDES + 1, at + SIDES + 2);
        }
    }
    return { points, corners };
}

function cube() {
    const [points, corners] = [[], []];
    const faces = [[[1, 0, 0], [0, 1, 0]], [[0, 0, -1], [0, 1, 0]], [[-1, 0, 0], [0, 1, 0]], [[0, 0, 1], [0, 1, 0]], [[1, 0, 0], [0, 0, -1]], [[1, 0, 0], [0, 0, 1]]];
    for (const [t, b] of faces) {
        const n = [t[1] * b[2] - t[2] * b[1], t[2] * b[0] - t[0] * b[2], t[0] * b[1] - t[1] * b[0]];
        const first = points.length / 12;
        for (const [x, y] of [[-1, -1], [1, -1], [-1, 1], [1, 1]]) {
            points.push(...n.map((value, k) => 0.66 * (value + x * t[k] + y * b[k])), ...n, ...t, 1, (x + 1) / 2, (1 - y) / 2);
        }
        corners.push(first, first + 1, first + 2, first + 2, first + 1, first + 3);
    }
    return { points, corners };
}

function plane() {
    const points = [[-1, -1], [1, -1], [-1, 1], [1, 1]].flatMap(([x, y]) => [x, y, 0, 0, 0, 1, 1, 0, 0, 1, (x + 1) / 2, (1 - y) / 2]);
    return { points, corners: [0, 1, 2, 2, 1, 3] };
}

// Matrices, column by column.
function identity() {
    return [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
}

function lying() { // a plane tipped back: its normal points up and to the front
    const [c, s] = [Math.cos(-0.9), Math.sin(-0.9)];
    return [1, 0, 0, 0, 0, c, s, 0, 0, -s, c, 0, 0, 0, 0, 1];
}

function perspective(aspect) {
    const f = 2.4 * Math.min(1, aspect);
    const [near, far] = [0.1, 40];
    return [f / aspect, 0, 0, 0, 0, f, 0, 0, 0, 0, (far + near) / (near - far), -1, 0, 0, (2 * far * near) / (near - far), 0];
}

function lookAt(eye) {
    const unit = (v) => v.map((value) => value / Math.hypot(...v));
    const z = unit(eye);
    const x = unit([z[2], 0, -z[0]]);
    const y = [z[1] * x[2] - z[2] * x[1], z[2] * x[0] - z[0] * x[2], z[0] * x[1] - z[1] * x[0]];
    const dot = (v) => -(v[0] * eye[0] + v[1] * eye[1] + v[2] * eye[2]);
    return [x[0], y[0], z[0], 0, x[1], y[1], z[1], 0, x[2], y[2], z[2], 0, dot(x), dot(y), dot(z), 1];
}
