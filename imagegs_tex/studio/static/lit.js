// The material under a light that is turned by dragging: a plane and a sphere, from the decoded maps. The reflection is
// the metal and rough model of glTF 2.0, appendix B, as in imagegs_tex/pictures/lit.py, whose numbers the page gets.
const PLANES = ["albedo", "normal", "packed", "emission", "opacity"];
const VERTEX = `attribute vec2 corner; varying vec2 place;
void main() { place = corner; gl_Position = vec4(corner, 0.0, 1.0); }`;
const FRAGMENT = `precision highp float;
varying vec2 place;
uniform sampler2D albedo_plane, normal_plane, packed_plane, emission_plane, opacity_plane;
uniform vec3 light, luminance;
uniform vec2 laidAround;
uniform float ball, repeats, aspect, wraps, sun, sky, white, leastRoughness, glass, behind, ballRadius;
const float PI = 3.14159265;
vec3 linear(vec3 c) { return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), step(0.04045, c)); }
vec3 encoded(vec3 c) { c = clamp(c, 0.0, 1.0); return mix(c * 12.92, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c)); }
vec3 shown(vec3 c) { float y = dot(c, luminance); return encoded(c * (1.0 + y / (white * white)) / (1.0 + y)); }
void main() {
  vec2 uv; vec3 along = vec3(1.0, 0.0, 0.0), up = vec3(0.0, 1.0, 0.0), outward = vec3(0.0, 0.0, 1.0);
  if (ball > 0.5) {
    vec2 p = place / ballRadius; float r = dot(p, p);
    if (r >= 1.0) { gl_FragColor = vec4(shown(vec3(behind)), 1.0); return; }
    outward = vec3(p, sqrt(1.0 - r));
    uv = vec2(atan(outward.x, outward.z) / (2.0 * PI) + 0.5, acos(clamp(outward.y, -1.0, 1.0)) / PI) * laidAround * repeats;
    along = normalize(vec3(outward.z, 0.0, -outward.x) + vec3(1e-6, 0.0, 0.0)); up = cross(outward, along);
  } else { uv = vec2(place.x * 0.5 + 0.5, (0.5 - place.y * 0.5)) * repeats * vec2(1.0, 1.0 / aspect); }
  vec2 inside = wraps > 0.5 ? uv : fract(uv);
  vec3 albedo = linear(texture2D(albedo_plane, inside).rgb), bent = texture2D(normal_plane, inside).rgb * 2.0 - 1.0;
  vec3 rest = texture2D(packed_plane, inside).rgb;
  float occlusion = rest.r, roughness = max(rest.g, leastRoughness), metal = rest.b;
  vec3 n = normalize(along * bent.x + up * bent.y + outward * bent.z), v = vec3(0.0, 0.0, 1.0);
  vec3 l = normalize(light), h = normalize(l + v);
  float facing = max(dot(n, l), 0.0), seen = max(dot(n, v), 0.001), a2 = pow(roughness, 4.0);
  float nh = max(dot(n, h), 0.0), spread = nh * nh * (a2 - 1.0) + 1.0, distribution = a2 / (PI * spread * spread);
  float visible = 0.5 / max(facing * sqrt(seen * seen * (1.0 - a2) + a2) + seen * sqrt(facing * facing * (1.0 - a2) + a2), 1e-5);
  vec3 reflectance = mix(vec3(glass), albedo, metal);
  vec3 fresnel = reflectance + (1.0 - reflectance) * pow(1.0 - max(dot(v, h), 0.0), 5.0);
  vec3 diffuse = albedo * (1.0 - metal) / PI * (1.0 - fresnel);
  vec3 direct = (diffuse + fresnel * distribution * visible) * PI * sun * facing;
  vec3 around = (albedo * (1.0 - metal) + reflectance) * sky * occlusion;
  float opaque = texture2D(opacity_plane, inside).r;
  vec3 emission = linear(texture2D(emission_plane, inside).rgb);
  gl_FragColor = vec4(shown((direct + around) * opaque + emission + behind * (1.0 - opaque)), 1.0);
}`;

export function lit(element, value) {
  const root = element.querySelector(".st-lit");
  root.innerHTML = `
    <div class="st-tools">
      <label>Direction of the light <input type="range" class="st-turn" min="-180" max="180"></label>
      <label>Height of the light <input type="range" class="st-lift" min="5" max="90"></label>
      <label>Repeated <select class="st-repeat"><option>1</option><option>2</option><option>4</option></select> times</label>
    </div>
    <div class="st-balls">
      <figure class="st-figure"><figcaption><b>On a plane</b><span class="st-faint">drag to turn the light</span></figcaption>
        <canvas width="560" height="560" role="img" aria-label="The decoded material on a plane under a light"></canvas></figure>
      <figure class="st-figure"><figcaption><b>On a sphere</b><span class="st-faint">drag to turn the light</span></figcaption>
        <canvas width="560" height="560" role="img" aria-label="The decoded material on a sphere under a light"></canvas></figure>
    </div><div class="st-read"></div>`;
  const turn = root.querySelector(".st-turn"), lift = root.querySelector(".st-lift"), repeat = root.querySelector(".st-repeat");
  const say = root.querySelector(".st-read");
  const views = [...root.querySelectorAll("canvas")].map((canvas, index) => view(canvas, index));
  const refused = views.some((each) => !each) ? "This browser has no WebGL, which the light needs." : "";
  let pictures = null, from = null;

  function view(canvas, ball) {
    const gl = ["webgl2", "webgl"].map((kind) => canvas.getContext(kind, { preserveDrawingBuffer: true, antialias: false }))
      .find(Boolean);
    if (!gl) return null;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
    const corner = gl.getAttribLocation(program, "corner");
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    const at = (name) => gl.getUniformLocation(program, name);
    PLANES.forEach((name, unit) => gl.uniform1i(at(`${name}_plane`), unit));
    return { gl, at, ball };
  }
  function upload({ gl }) {
    pictures.forEach((image, unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
      gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, image);
      const modern = Boolean(gl.createVertexArray); // WebGL 2, which repeats textures of any size
      for (const axis of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T])
        gl.texParameteri(gl.TEXTURE_2D, axis, modern ? gl.REPEAT : gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    });
  }
  function take({ gl, at }, model) {
    for (const [name, value] of Object.entries(model))
      if (Array.isArray(value)) gl[`uniform${value.length}f`](at(name), ...value);
      else gl.uniform1f(at(name), value);
  }
  function begin([x, y, z]) {
    turn.value = Math.atan2(y, x) * 180 / Math.PI;
    lift.value = Math.asin(z / Math.hypot(x, y, z)) * 180 / Math.PI;
  }
  function draw() {
    const side = turn.value * Math.PI / 180, height = lift.value * Math.PI / 180;
    const light = [Math.cos(height) * Math.cos(side), Math.cos(height) * Math.sin(side), Math.sin(height)];
    root.dataset.light = light.map((each) => each.toFixed(3)).join(" ");
    if (!pictures) return;
    const aspect = pictures[0].naturalHeight / pictures[0].naturalWidth;
    for (const { gl, at, ball } of views.filter(Boolean)) {
      gl.uniform3f(at("light"), ...light);
      gl.uniform1f(at("ball"), ball);
      gl.uniform1f(at("wraps"), gl.createVertexArray ? 1 : 0);
      gl.uniform1f(at("repeats"), Number(repeat.value));
      gl.uniform1f(at("aspect"), aspect);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }
  }
  for (const input of [turn, lift, repeat]) input.addEventListener("input", draw);
  for (const canvas of root.querySelectorAll("canvas")) {
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); from = event; });
    canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      let side = Number(turn.value) + (event.clientX - from.clientX) * 0.6;
      if (side > 180) side -= 360;
      if (side < -180) side += 360;
      turn.value = side;
      lift.value = Number(lift.value) - (event.clientY - from.clientY) * 0.3;
      from = event;
      draw();
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { from = null; });
  }
  const picture = (address) => new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = address;
  });
  async function show(next) {
    root.hidden = !next || !next.planes;
    if (root.hidden) return;
    try { pictures = await Promise.all(PLANES.map((name) => picture(next.planes[name]))); }
    catch { say.textContent = "The pictures are gone; reload the page."; return; }
    for (const each of views.filter(Boolean)) { take(each, next.model); upload(each); }
    if (!root.dataset.ready) begin(next.model.firstLight);
    say.textContent = refused || next.note;
    root.dataset.ready = "1";
    draw();
  }
  show(value);
  return show;
}
