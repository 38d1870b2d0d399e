/* igs_draw: loads an .igs file as a game would and draws one of its maps with OpenGL 4.3.
 *
 *     igs_draw FILE.igs igs_decode.glsl MAP OUT.ppm [WIDTH HEIGHT]
 *
 * The file is read by runtime/c/igs.h and packed by igs_pack.h, the buffer becomes a storage buffer, and a pixel shader
 * samples it through igs_decode.glsl, the decoder of all materials: see README.md. MAP counts from 0. At the file's own size
 * pixels are texels; at another one igs_sample filters, by the levels that lie in the buffer. There is no window: EGL makes
 * a context without one, so that this runs on a build machine, too. In an engine that part is the engine's.
 *
 * cc -std=c99 -O2 -I../../../runtime/c igs_draw.c -lEGL -lOpenGL -lzstd -lm -o igs_draw
 *
 * SPDX-License-Identifier: MIT
 */
#define EGL_EGLEXT_PROTOTYPES
#define GL_GLEXT_PROTOTYPES
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GL/glcorearb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define IGS_IMPLEMENTATION
#include "igs.h"
#define IGS_PACK_IMPLEMENTATION
#include "igs_pack.h"

static const char vertex_text[] =
    "#version 430\n"
    "void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }\n";

/* The map's samples as they are stored, first row on top. */
static const char fragment_text[] =
    "uniform vec2 size;\n"
    "out vec4 colour;\n"
    "float unit_z(vec2 xy) { xy = 2.0 * xy - 1.0; return 0.5 + 0.5 * sqrt(max(0.0, 1.0 - dot(xy, xy))); }\n"
    "void main()\n"
    "{\n"
    "    vec2 uv = gl_FragCoord.xy / size;\n"
    "    IgsTexel texel = IGS_SAMPLE(0u, uv);\n"
    "    colour = vec4(%s, %s, %s, 1.0);\n"
    "}\n";

static void fail(const char* what, const char* why) {
    fprintf(stderr, "igs_draw: %s: %s\n", what, why);
    exit(1);
}

static void* taken(size_t bytes) {
    void* memory = malloc(bytes);
    if (memory == NULL) fail("memory", "there is none");
    return memory;
}

static char* read_file(const char* path, size_t* size) {
    FILE* stream = fopen(path, "rb");
    char* data;
    long length;
    if (stream == NULL || fseek(stream, 0, SEEK_END) != 0 || (length = ftell(stream)) < 0) fail(path, "cannot be read");
    rewind(stream);
    data = (char*)taken((size_t)length + 1);
    if (fread(data, 1, (size_t)length, stream) != (size_t)length) fail(path, "cannot be read");
    fclose(stream);
    data[length] = 0;
    *size = (size_t)length;
    return data;
}

/* ---- the file to a storage buffer ---------------------------------------------------------------------------------- */

static size_t decompress(void* to, size_t room, const void* from, size_t size) {
    return ZSTD_decompress(to, room, from, size);
}

static igs_file load(const char* path) {
    size_t size;
    char* data = read_file(path, &size);
    igs_info info;
    igs_file file;
    igs_error error = igs_measure(data, size, &info);
    if (error == IGS_OK) {
        void *kept = taken(info.kept_bytes), *scratch = taken(info.scratch_bytes);
        error = igs_load(data, size, kept, info.kept_bytes, scratch, info.scratch_bytes, decompress, &file);
        free(scratch); /* what the file holds stays in kept, to the end of this program */
    }
    if (error != IGS_OK) fail(path, igs_error_text(error));
    return file; /* and may point into data */
}

static GLuint storage_buffer(const igs_file* file, const char* path) {
    igs_pack pack;
    GLuint name;
    void *scratch, *words;
    igs_error error = igs_pack_measure(file, 1, &pack);
    if (error != IGS_OK) fail(path, igs_error_text(error));
    scratch = taken(pack.scratch_bytes);
    error = igs_pack_index(file, scratch, pack.scratch_bytes, &pack);
    if (error != IGS_OK) fail(path, igs_error_text(error));
    words = taken(pack.buffer_bytes);
    igs_pack_write(file, &pack, words, pack.buffer_bytes);
    free(scratch);
    glGenBuffers(1, &name);
    glBindBufferBase(GL_SHADER_STORAGE_BUFFER, 0, name);
    glBufferData(GL_SHADER_STORAGE_BUFFER, (GLsizeiptr)pack.buffer_bytes, words, GL_STATIC_DRAW);
    free(words);
    return name;
}

/* ---- the shader ---------------------------------------------------------------------------------------------------- */

/* What a channel of a map is in the shader, as it is stored. */
static void channel_text(const igs_map* map, uint32_t channel, char text[100]) {
    const igs_channel* channels = map->channels;
    const igs_channel* of = &channels[channel < map->channel_count ? channel : 0]; /* one channel: grey */
    if (of->kind == IGS_CODED) {
        sprintf(text, "texel.channel[%u]", (unsigned)of->index);
    } else if (of->kind == IGS_CONSTANT_VALUE) {
        sprintf(text, "%.9f", (double)of->constant); /* of 0 to 1, as codes */
    } else { /* z of a unit normal, whose x and y are the channels before it */
        const unsigned x = channels[channel - 2].index, y = channels[channel - 1].index;
        sprintf(text, "unit_z(vec2(texel.channel[%u], texel.channel[%u]))", x, y);
    }
}

static GLuint shader(GLenum kind, const char* text) {
    const GLuint name = glCreateShader(kind);
    GLint right;
    char log[2000];
    glShaderSource(name, 1, &text, NULL);
    glCompileShader(name);
    glGetShaderiv(name, GL_COMPILE_STATUS, &right);
    if (!right) {
        glGetShaderInfoLog(name, sizeof log, NULL, log);
        fail("the shader does not compile", log);
    }
    return name;
}

static GLuint program(const igs_file* file, const char* include_path, uint32_t map, int filters) {
    const GLuint name = glCreateProgram();
    uint32_t values = file->info.channels, k;
    size_t size;
    char *include = read_file(include_path, &size), *text = (char*)taken(size + 2000), channels[3][100];
    GLint linked;
    for (k = 0; k < file->map_count; ++k) ++values; /* as many as there can be normals whose z is made of x and y */
    for (k = 0; k < 3; ++k) channel_text(&file->maps[map], k, channels[k]);
    sprintf(
        text,
        "#version 430\n#define IGS_COMPONENTS %u\n#define IGS_VALUES %u\n#define IGS_BINDING 0\n%s\n#define IGS_SAMPLE "
        "%s\n",
        (unsigned)file->info.components, (unsigned)values, include, filters ? "igs_sample" : "igs_decode"
    );
    sprintf(text + strlen(text), fragment_text, channels[0], channels[1], channels[2]);
    glAttachShader(name, shader(GL_VERTEX_SHADER, vertex_text));
    glAttachShader(name, shader(GL_FRAGMENT_SHADER, text));
    glLinkProgram(name);
    glGetProgramiv(name, GL_LINK_STATUS, &linked);
    if (!linked) fail("the shader", "does not link");
    free(include);
    free(text);
    return name;
}

/* ---- a context without a window, and a picture to draw to ---------------------------------------------------------- */

static void make_context(void) {
    static const EGLint wanted[] = {EGL_CONTEXT_MAJOR_VERSION, 4, EGL_CONTEXT_MINOR_VERSION, 3, EGL_NONE};
    const EGLDisplay display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
    EGLContext context;
    if (!eglInitialize(display, NULL, NULL) || !eglBindAPI(EGL_OPENGL_API))
        fail("EGL", "has no display without a screen");
    context = eglCreateContext(display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, wanted);
    if (context == EGL_NO_CONTEXT || !eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context))
        fail("EGL", "has no OpenGL 4.3");
}

static void write_picture(const char* path, GLsizei width, GLsizei height) {
    uint8_t* pixels = (uint8_t*)taken((size_t)width * (size_t)height * 3);
    FILE* stream = fopen(path, "wb");
    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE, pixels); /* row 0 is the first of the .igs */
    if (stream == NULL || fprintf(stream, "P6\n%d %d\n255\n", width, height) < 0 ||
        fwrite(pixels, 3, (size_t)width * (size_t)height, stream) != (size_t)width * (size_t)height ||
        fclose(stream) != 0)
        fail(path, "cannot be written");
    free(pixels);
}

int main(int count, char** arguments) {
    igs_file file;
    uint32_t map;
    GLsizei width, height;
    GLuint target, frame, array, drawn;
    if (count != 5 && count != 7) {
        fputs("usage: igs_draw FILE.igs igs_decode.glsl MAP OUT.ppm [WIDTH HEIGHT]\n", stderr);
        return 2;
    }
    file = load(arguments[1]);
    map = (uint32_t)atoi(arguments[3]);
    if (map >= file.map_count) fail(arguments[3], "there are not so many maps");
    width = count == 7 ? atoi(arguments[5]) : (GLsizei)file.info.width;
    height = count == 7 ? atoi(arguments[6]) : (GLsizei)file.info.height;
    make_context();
    glGenTextures(1, &target);
    glBindTexture(GL_TEXTURE_2D, target);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, width, height);
    glGenFramebuffers(1, &frame);
    glBindFramebuffer(GL_FRAMEBUFFER, frame);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, target, 0);
    glViewport(0, 0, width, height);
    storage_buffer(&file, arguments[1]);
    drawn = program(&file, arguments[2], map, count == 7);
    glUseProgram(drawn);
    glUniform2f(glGetUniformLocation(drawn, "size"), (float)width, (float)height);
    glGenVertexArrays(1, &array);
    glBindVertexArray(array);
    glDrawArrays(GL_TRIANGLES, 0, 3);
    if (glGetError() != GL_NO_ERROR) fail("OpenGL", "reports an error");
    write_picture(arguments[4], width, height);
    return 0;
}
