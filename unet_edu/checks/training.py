"""The exercises and the quick questions of lesson 07: what is asked, and which mistakes are known."""

from __future__ import annotations

from unet_edu.checks.exercise import Exercise
from unet_edu.checks.quiz import Option, Question, Quiz

__all__ = ["EXERCISES", "QUIZ"]

EXERCISES: tuple[Exercise, ...] = ()


# --- the quick questions -----------------------------------------------------------------------------------------------

QUIZ = Quiz(
    lesson="07",
    questions=(
        Question(
            "A 3×3 convolution reads 64 channels. With which standard deviation are its weights drawn, as the paper wants it?",
            (
                Option("0.059", "N = 9 · 64 = 576 numbers are added up for one output, and √(2 / 576) = 0.0589."),
                Option(
                    "0.0035",
                    "That is 2 / 576: the variance. The standard deviation is its square root.",
                    "the variance is taken for the standard deviation",
                ),
                Option(
                    "0.177",
                    "That is √(2 / 64). Each of the 64 channels is read at 9 places.",
                    "N counts only the channels",
                ),
                Option(
                    "0.042",
                    "That is √(1 / 576). ReLU throws half of the numbers away; the 2 makes up for it.",
                    "ReLU is forgotten",
                ),
            ),
        ),
        Question(
            "A background pixel lies 4 pixels from one cell and 4 from another. With w0 = 10 and σ = 5, what does the border term add to "
            "its weight?",
            (
                Option(
                    "5.27",
                    "That squares each distance and then adds, 16 + 16. The sum is squared: (4 + 4)².",
                    "squares are added in place of the distances",
                ),
                Option(
                    "0.77",
                    "That divides by σ². Below the line stands 2σ².",
                    "the 2 before σ² is forgotten",
                ),
                Option("2.78", "10 · exp(−(4 + 4)² / (2 · 25)) = 10 · exp(−1.28)."),
                Option(
                    "10",
                    "That is the term in a gap of no width. It fades as the gap gets wider.",
                    "every border pixel weighs the same",
                ),
            ),
        ),
        Question(
            "You bend an image elastically. What do you do with its labels?",
            (
                Option(
                    "nothing: labels are not augmented",
                    "Then they lie where the cells were before. The network would learn from wrong answers.",
                    "labels stay as they are",
                ),
                Option(
                    "bend them with a new random field, to have more variety",
                    "Then label and image no longer belong together. Variety comes from a new field for each sample.",
                    "labels get a field of their own",
                ),
                Option(
                    "bend them with the same field, bicubic, and round",
                    "Between class 0 and class 2 that makes a border of class 1, which is not there.",
                    "labels can be averaged",
                ),
                Option(
                    "bend them with the same field, and take the nearest pixel's label",
                    "The same field keeps them together, and the nearest label is always one that exists.",
                ),
            ),
        ),
        Question(
            "SGD with momentum 0.99 and a learning rate of 0.001. The gradient of a weight is 2, step after step. How far does this weight "
            "move in one step, in the end?",
            (
                Option(
                    "0.002",
                    "That is a step without momentum. Here 99 % of the step before is added each time.",
                    "momentum is an average of gradients",
                ),
                Option("0.2", "The steps add up to 1 / (1 − 0.99) = 100 times as much: 100 · 0.001 · 2."),
                Option(
                    "0.004",
                    "That adds the last step alone. It holds the one before, which holds the one before that.",
                    "momentum remembers one step",
                ),
                Option(
                    "there is no end: it grows with every step",
                    "It would with a momentum of 1. With 0.99 each old step counts a little less, and the sum stays finite.",
                    "momentum grows without limit",
                ),
            ),
        ),
        Question(
            "From lesson 06. The network reads 572×572 pixels and answers for 388×388. The labels are 572×572. With which labels do you "
            "compare the answer?",
            (
                Option(
                    "with the labels made smaller to 388×388",
                    "Then each label is compared with another place of the image. The answer is not smaller, it covers less.",
                    "labels are resized to the output",
                ),
                Option(
                    "with the upper left 388×388 labels",
                    "The convolutions lose as much on the left as on the right: 92 pixels on each side.",
                    "the output lies in the corner",
                ),
                Option(
                    "with the middle 388×388 labels",
                    "The answer belongs to the middle of the image, with 92 pixels missing on each side.",
                ),
                Option(
                    "with all labels, and zeros around the answer",
                    "Zeros are scores, too: the network would be blamed for pixels on which it said nothing.",
                    "the output is padded with zeros",
                ),
            ),
        ),
    ),
)
