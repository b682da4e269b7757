"""Questions in a lesson: a quiz whose every choice explains itself, and guesses made first."""

from classroom.quiz.question import Choice, Question, right, wrong
from classroom.quiz.quiz import Prediction, Quiz, predict, quiz

__all__ = ["Choice", "Prediction", "Question", "Quiz", "predict", "quiz", "right", "wrong"]
