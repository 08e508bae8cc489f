"""The exercises and the quick questions of lesson 09: what is asked, and which mistakes are known."""

from __future__ import annotations

from unet_edu.checks.exercise import Exercise
from unet_edu.checks.quiz import Option, Question, Quiz

__all__ = ["EXERCISES", "QUIZ"]

EXERCISES: tuple[Exercise, ...] = ()


# --- the quick questions -----------------------------------------------------------------------------------------------

QUIZ = Quiz(
    lesson="09",
    questions=(
        Question(
            "The truth has three cells. A network finds two of them, with overlaps (IoU) of 0.9 and 0.6, and misses the third. What is SEG?",
            (
                Option(
                    "0.75",
                    "That is the mean over the cells that were found. A missed cell counts as 0.",
                    "SEG averages only the cells that were found",
                ),
                Option(
                    "0.67",
                    "That is the share of cells that were found. SEG also asks how well.",
                    "SEG counts cells",
                ),
                Option("0.5", "(0.9 + 0.6 + 0) / 3: the mean goes over all true cells."),
                Option(
                    "0.9",
                    "That is the best cell. All count alike.",
                    "SEG is the best cell's overlap",
                ),
            ),
        ),
        Question(
            "On images of cells that touch, a threshold reaches an IoU of the cells of 0.92, and yet a SEG of only 0.33. How can that be?",
            (
                Option(
                    "nearly all pixels are right, but cells that touch come out as one piece",
                    "IoU looks at pixels. SEG looks at each cell, and a piece that covers many cells overlaps badly with each of them.",
                ),
                Option(
                    "SEG counts false alarms, and IoU does not",
                    "It is the other way round: a false alarm lowers IoU, and costs nothing in SEG.",
                    "SEG counts false alarms",
                ),
                Option(
                    "one of the two numbers must be wrong",
                    "Both are right. They answer different questions.",
                    "scores of one mask must agree",
                ),
                Option(
                    "the background is easy, and raises IoU",
                    "Background on which both agree is not in the IoU of the cells at all.",
                    "background counts in the IoU of the cells",
                ),
            ),
        ),
        Question(
            "You have two films of growing cells, 100 frames each. How do you find out what the network will do on a new film?",
            (
                Option(
                    "train on 160 frames drawn at random, score on the other 40",
                    "Nearly every frame to be scored has a neighbour among those learned from, which looks almost the same.",
                    "frames are split at random",
                ),
                Option(
                    "train on every second frame, score on those between",
                    "Then each frame to be scored stands between two that were learned from.",
                    "every second frame is new",
                ),
                Option(
                    "train on all frames, score on all: so no data is lost",
                    "That measures what the network remembers, not what it does on what it has never seen.",
                    "the training score is the result",
                ),
                Option(
                    "train on one film, score on the other",
                    "The other film is new to it, as the next one will be.",
                ),
            ),
        ),
        Question(
            "You train a network with skip connections and one without, three times each, with another seed each time. SEG with them: "
            "0.74, 0.80, 0.83; without: 0.71, 0.78, 0.79. What do you report?",
            (
                Option(
                    "with: 0.83, without: 0.79",
                    "The best of three is luck as much as skill, and the more often one tries, the better it looks.",
                    "the best run is the result",
                ),
                Option(
                    "means of 0.79 and 0.76, and how far the three runs lie apart",
                    "0.03 is then seen beside a spread of about 0.05: three runs each do not decide it.",
                ),
                Option(
                    "skip connections add 0.03",
                    "The runs of one kind differ by more than that. Without the spread nobody can know it.",
                    "a difference needs no spread",
                ),
                Option(
                    "the seed that suits both best",
                    "Choosing a seed by its score is tuning on the answer.",
                    "the seed is a setting to be tuned",
                ),
            ),
        ),
        Question(
            "From lesson 07. What is the border weight map for?",
            (
                Option(
                    "it makes up for rare classes",
                    "That is the other part of the weight, w_c, the same for all pixels of a class.",
                    "the border term balances the classes",
                ),
                Option(
                    "it makes the outline of every cell sharp",
                    "A cell that stands alone has no second cell near it, and gets no border weight.",
                    "every outline weighs more",
                ),
                Option(
                    "it makes mistakes in narrow gaps between cells expensive",
                    "There both nearest cells are close. A gap that is closed by mistake joins two cells.",
                ),
                Option(
                    "it leaves out the pixels at the image's border",
                    "The border in its name is the one between two cells.",
                    "the border is that of the image",
                ),
            ),
        ),
    ),
)
