"""Loops over a Gaussian's codes, written out.

NVIDIA's compiler for GLSL leaves loops of three turns as they are. What they pick is picked by computed numbers then,
and a thread's sums lie in memory.
"""

import re
from typing import Final

_MOST_TURNS: Final = {"v": 3, "k": 12}
"""By what is counted, vectors of codes and codes. Loops that may take more stay loops where they do."""
_HEAD: Final = re.compile(
    r"^(?P<indent> *)for \(int (?P<name>[vk]) = (?P<first>[012]); "
    r"[vk] < (?P<bound>IGS_CODE_VECTORS|IGS_GROUP_VECTORS - 3|IGS_COMPONENTS); \+\+[vk]\) \{\n",
    re.MULTILINE,
)


def write_out(text: str) -> str:
    """Return the compute decoder's text without such loops."""
    parts = []
    while head := _HEAD.search(text):
        indent, name, bound = head["indent"], head["name"], head["bound"]
        end = f"\n{indent}}}\n"
        behind = text.index(end, head.end()) + len(end)
        body = text[head.end() : behind - len(end) + 1]
        counted = re.compile(rf"\b{name}\b")
        turns = "".join(
            f"#if {bound} > {turn}\n{indent}{{\n{counted.sub(str(turn), body)}{indent}}}\n#endif\n"
            for turn in range(int(head["first"]), _MOST_TURNS[name])
        )
        loop = text[head.start() : behind]
        parts += [text[: head.start()], f"#if {bound} > {_MOST_TURNS[name]}\n{loop}#else\n{turns}#endif\n"]
        text = text[behind:]
    return "".join([*parts, text])
