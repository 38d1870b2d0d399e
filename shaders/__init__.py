"""The GLSL and HLSL decoders as source files, and what emits them for a given .igs file."""
