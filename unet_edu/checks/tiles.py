"""The exercises and the quick questions of lesson 08: what is asked, and which mistakes are known."""

from __future__ import annotations

from unet_edu.checks.exercise import Exercise
from unet_edu.checks.quiz import Option, Question, Quiz

__all__ = ["EXERCISES", "QUIZ"]

EXERCISES: tuple[Exercise, ...] = ()


# --- the quick questions -----------------------------------------------------------------------------------------------

QUIZ = Quiz(
    lesson="08",
    questions=(
        Question(
            "You want the classes of 388×388 pixels from the paper's network, in one go. What do you give it?",
            (
                Option(
                    "388×388 pixels: as many as you want back",
                    "The unpadded convolutions lose 184 pixels of each side. So little would come back.",
                    "the output is as large as the input",
                ),
                Option(
                    "572×572 pixels: 92 more on each side",
                    "184 pixels are lost along each side, 92 at each end.",
                ),
                Option(
                    "480×480 pixels: 46 more on each side",
                    "That shares 92 between the two ends. 92 pixels are lost at each of them.",
                    "92 is the loss of both ends together",
                ),
                Option(
                    "388×388 pixels with zeros around them, 572×572 in all",
                    "The size is right. But at the cut there is image beyond it, and at the image's end a mirror deceives the network less than black.",
                    "zeros do for the context",
                ),
            ),
        ),
        Question(
            "A row begins with the pixels 5, 3, 8. You need two more in front of them, mirrored as in this lesson. How does it begin then?",
            (
                Option(
                    "3 5 5 3 8",
                    "That doubles the edge. The mirror stands in the middle of the first pixel, so 5 appears once.",
                    "the mirror doubles the edge",
                ),
                Option(
                    "5 5 5 3 8", "That repeats the edge pixel. A mirror goes on into the image.", "the edge is repeated"
                ),
                Option("8 3 5 3 8", "From the edge pixel, 5, the same numbers follow on both sides: 3, then 8."),
                Option(
                    "3 8 5 3 8",
                    "That is a copy, not a mirror image: nearest to the edge stands the pixel next to it, 3.",
                    "the border is copied without turning it",
                ),
            ),
        ),
        Question(
            "The paper's network answers for 388 pixels a side. A tile follows every … pixels. With which step do the tiles together "
            "give what the network gives for the whole image at once?",
            (
                Option(
                    "388: side by side, without a gap",
                    "388 is no multiple of 16. The poolings of the second tile then cut the image into other windows than those of the first.",
                    "tiles side by side fit together",
                ),
                Option(
                    "380: a little overlap is enough",
                    "Overlap is not the point. 380 is no multiple of 16, and the windows of the poolings shift.",
                    "any overlap makes tiles agree",
                ),
                Option(
                    "386: an even number, for the poolings",
                    "Even fits one pooling. Four poolings in a row make windows of 16 pixels.",
                    "the step must only be even",
                ),
                Option(
                    "384",
                    "24 · 16: each tile cuts the image into the same windows of 2⁴ pixels. The last 4 pixels overlap.",
                ),
            ),
        ),
        Question(
            "You predict the same image twice, tile by tile, with the same weights. The two answers differ. What is the most likely cause?",
            (
                Option(
                    "dropout is still on: `model.eval()` was forgotten",
                    "While training, dropout draws anew which features it leaves out. `model.eval()` turns it off.",
                ),
                Option(
                    "the step is off the phase",
                    "That makes an answer that differs from the whole image's, but it is the same one each time.",
                    "a wrong phase is random",
                ),
                Option(
                    "rounding: floats are never the same twice",
                    "Rounding changes the sixth digit or so. You would hardly see it.",
                    "rounding makes visible differences",
                ),
                Option(
                    "the mirrored border is drawn at random",
                    "Nothing in a mirror is random.",
                    "the border is random",
                ),
            ),
        ),
        Question(
            "From lesson 06. An output pixel of the paper's network sees a square of 188 or of 204 input pixels a side. On what does it depend?",
            (
                Option(
                    "on the size of the image",
                    "It is the same in all images that are large enough.",
                    "the receptive field grows with the image",
                ),
                Option(
                    "on the weights",
                    "The weights say how much each pixel counts, not which pixels have a way to the output.",
                    "the receptive field is learned",
                ),
                Option(
                    "on where the pixel lies in the windows of the poolings",
                    "A pixel near the edge of its window of 16 reaches into one window more.",
                ),
                Option(
                    "on how near it is to the border of the image",
                    "Unpadded convolutions never reach beyond the border; no output pixel is that near to it.",
                    "the border cuts the receptive field",
                ),
            ),
        ),
    ),
)
