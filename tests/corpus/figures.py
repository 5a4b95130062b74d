"""Prints how mailbot does on the voices: `python -m tests.corpus.figures`. Of those apart it tells the labels and never a word."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mailbot.languages import Language
from tests.corpus.offices import LANGUAGES, Mail, acted, done, is_disposed, is_lost, is_right, is_wrong, mails, wanted

PARTS = ("heard", "apart")


@dataclass(frozen=True, repr=False)
class Figures:
    """Of one part: how many mails, how many with the right acts, those not exactly right, those for which something wrong was done, and
    how many that a person should have got and none did."""

    mails: int
    disposed: int
    missed: list[tuple[Mail, set[tuple[str, ...]]]]
    wrong: list[tuple[Mail, set[tuple[str, ...]]]]
    lost: int

    @property
    def share(self) -> float:
        return 1 - len(self.missed) / self.mails

    @property
    def acts(self) -> float:
        return self.disposed / self.mails

    def __repr__(self) -> str:
        """No word of a mail: a failing test prints this."""
        return str(self)

    def __str__(self) -> str:
        right = self.mails - len(self.missed)
        acts = f"{100 * self.acts:.1f} % with the right acts ({self.disposed})"
        return f"{100 * self.share:.1f} % exactly right ({right}/{self.mails}), {acts}, {len(self.wrong)} wrong acts, {self.lost} lost"


def figures(those: Iterable[Mail], spoken: Mapping[str, Language] = LANGUAGES) -> Figures:
    judged = [(mail, done(acted(mail, spoken))) for mail in those]
    return Figures(
        len(judged),
        sum(is_disposed(got, wanted(mail)) for mail, got in judged),
        [(mail, got) for mail, got in judged if not is_right(got, wanted(mail))],
        [(mail, got) for mail, got in judged if is_wrong(got, wanted(mail))],
        sum(is_lost(got, wanted(mail)) for mail, got in judged),
    )


def pairs(these: Iterable[tuple[Mail, set[tuple[str, ...]]]]) -> str:
    """Label wanted, act got, how often: a line each."""
    counted = Counter(
        f"{' + '.join(sorted(mail.right))}  ->  {' + '.join(sorted(':'.join(one) for one in got))}" for mail, got in these
    )
    return "\n".join(f"  {count:3}  {pair}" for pair, count in counted.most_common())


if __name__ == "__main__":
    for part in PARTS:
        found = figures(mails(part))
        print(f"{part}: {found}\n{pairs(found.missed)}\nwrong:\n{pairs(found.wrong)}\n")
