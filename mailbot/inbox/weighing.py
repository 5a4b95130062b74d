"""Two voices say what a mail wants: the phrases of the folders, and what was learned from labelled mails. What is to be believed?

The learned voice knows far more ways to say a thing, so it names the wishes. It acts alone only with a margin; where it is
less sure, the phrases must say the same; and where either hears somebody in need, a complaint or a lawyer, nothing is acted
upon. A wrong act costs more than ten mails that a colleague reads.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mailbot.inbox.intent import Kind, Reading, Wish
from mailbot.inbox.learned import Opinion

GRAVE = frozenset({Kind.HELP, Kind.LEGAL, Kind.COMPLAINT, Kind.CORRECTION, Kind.SOMEONE_ELSE, Kind.CHANGE_OF_ADDRESS, Kind.EMBARGO})
_KINDS = {str(kind): kind for kind in Kind}
_RELEASES = (Kind.LATEST, Kind.ABOUT)
_ACTS = (*_RELEASES, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE)
_FILED = (Kind.THANKS, Kind.SPAM)
_OBJECTS = (Kind.PHOTOS, Kind.VIDEO, Kind.AUDIO)
_TALKED_OF = frozenset({Kind.INTERVIEW, *_OBJECTS})
_OTHERWISE = frozenset({Kind.EVENT, Kind.REACTION, Kind.JOB, Kind.OFFER})  # seldom what is told of a release
_ALONE = frozenset({Kind.SEVERAL, Kind.EMBARGO})  # known by their phrases only

GRAVE_MAIL, GRAVE_SENTENCE = -0.45, 0.8  # a mail that may be grave so far is a person's
FAR = 1.2  # ... unless something else is so much likelier
IN_NEED = -0.5  # ... and sooner where the phrases hear a call for help: a release sent to a mother is worse than ten mails handed over
BESIDE, BESIDE_CLAUSE = -0.35, 0.95  # a person's wish beside another: in the mail, or in a sentence of its own
BESIDE_OWN, OWN_CLAUSE_BESIDE = -0.45, 0.3  # ... or both, less loudly, of what no release is likely to be on
LEAST = 0.3  # nothing is acted upon below it
LEAST_LIST = 0.18  # ... for a place on the list
LEAST_UNSAID = 0.4  # nor below this where no phrase says so too
LEAST_UNDATED = 0.2  # nor the newest one sent where no phrase says new
MARGIN = {Kind.LATEST: 0.0, Kind.ABOUT: 0.0, Kind.SUBSCRIBE: 0.3, Kind.UNSUBSCRIBE: 0.1}    # over whatever is no act
WIDE, WIDE_LEAST = 0.7, -0.1  # who speaks of leaving, and of nothing else by far, need not say it loudly
APART = 0.8  # ... nor who speaks of something new, or names a release by many words (choice.bears_out), and of nothing else by far
SECOND, SECOND_CLAUSE = 0.65, 0.6  # a second act, or one beside a person's wish: in the mail, and in a sentence of its own
SECOND_NEARLY = 0.48  # ... a certain release beside these, if so many words of the mail are of it (choice.bears_out)
TO_TALK = 0.4  # ... a release beside an interview: who wants to talk about it seldom speaks of it for another reason
ALSO = 0.33  # ... a place on the list beside a release, where the phrases hear of one
BESIDE_LIST = 0.11  # ... a release beside the wish for all that come
LOUD = 0.6  # ... a release beside photos, video or audio, which may be those of the release
OWN_CLAUSE = -0.23  # some sentence asks for it more than for anything else
FAREWELL = 0.2  # ... and beside the wish to leave: who leaves likes to speak of the last one
OBJECT = -0.32  # a thing that the phrases name is asked for, when what was learned thinks so far
FILED, FILED_MARGIN = -0.1, 0.27
CLEAR, DENIED = 0.7, -0.51  # the phrases are sure; what was learned says otherwise
UNHEARD, FAINT = -0.8, -0.64  # below it nothing was heard at all
THIS_WAY = 0.86  # so much likelier the one than the other: on the list, or off it
NEAR = 1.0  # on and off the list are near: the other way must be so much less likely
CERTAIN, FEW_WORDS = 0.5, 12  # of so few words one that nobody knows, beside the release, may change everything; unless it is so sure
REFUSAL_WORDS = 16  # and of so few a `not` is meant, however sure it is
SURE, NEARLY, UNSURE = 0.9, 0.5, 0.4


def weigh(reading: Reading, heard: Opinion) -> Reading:
    """The reading with the wishes that both voices make of it: the most dangerous first, of what is merely a person's the likeliest."""
    scores = {_KINDS[kind]: score for kind, score in heard.kinds.items() if kind in _KINDS}
    wishes = list(_agreed(reading, heard, scores) or _wishes(reading, heard, scores))
    if not any(wish.confidence > UNSURE for wish in wishes):
        wishes = _by_phrases_alone(reading, scores) or wishes
    sure = any(wish.kind in _ACTS and wish.confidence > UNSURE for wish in wishes)
    leaning = scores[Kind.ABOUT] - scores[Kind.LATEST]
    sorted_ = tuple(sorted(wishes, key=lambda wish: _rank(wish.kind, scores)))
    said = frozenset(wish.kind for wish in reading.wishes)
    return replace(reading, leaning=leaning, negated=reading.negated and not sure, wishes=sorted_, said=said)


def _rank(kind: Kind, scores: Mapping[Kind, float]) -> tuple[int, float]:
    """A colleague is told by its first kind what a mail is about."""
    order = list(Kind)
    if kind in (*_ACTS, *_FILED, *GRAVE) or kind not in scores:
        return order.index(kind), 0.0
    return order.index(Kind.INTERVIEW), -scores[kind]


def _agreed(reading: Reading, heard: Opinion, scores: Mapping[Kind, float]) -> list[Wish]:
    """What the phrases understand to the last word, and what was learned does not deny: that is certain."""
    said = [wish for wish in reading.wishes if wish.kind is not Kind.THANKS]
    if not said or reading.negated or reading.denied or any(wish.kind not in _ACTS or wish.confidence < CLEAR for wish in said):
        return []
    persons = max(score for kind, score in scores.items() if kind not in _ACTS)
    if persons > DENIED or max(heard.best[kind] for kind in GRAVE.intersection(scores)) > GRAVE_SENTENCE:
        return []
    if not any(wish.kind in _RELEASES for wish in said) and any(_is_loud(kind, heard, scores) for kind in _RELEASES):
        return []  # `one last thing, your newest; then take me off`: the phrases understood half of it
    lists = [scores[kind] for kind in (Kind.SUBSCRIBE, Kind.UNSUBSCRIBE) if kind not in {wish.kind for wish in said}]
    wanted = [max(scores[one] for one in (_RELEASES if wish.kind in _RELEASES else (wish.kind,))) for wish in said]
    listed = [scores[wish.kind] for wish in said if wish.kind not in _RELEASES]
    other = max(lists, default=-1.0)
    if other > max(wanted) or (listed and (other > min(DENIED, max(wanted) - NEAR) or min(listed) < (0.0 if len(said) > 1 else -NEAR))):
        return []
    if listed and max(scores[kind] for kind in _RELEASES) <= (OBJECT if reading.recent else 0.0):
        said = [wish for wish in said if wish.kind not in _RELEASES]  # `sign me up for your releases`: the release is what the list is of
    return said if min(wanted) > DENIED - NEAR else []


def _by_phrases_alone(reading: Reading, scores: Mapping[Kind, float]) -> list[Wish]:
    """Nothing is sure: then a person gets it under the name that the phrases give it."""
    named = [wish for wish in reading.wishes if wish.kind not in (*_ACTS, *_FILED) and scores.get(wish.kind, 0.0) > FAINT]
    return sorted(named, key=lambda wish: -scores.get(wish.kind, 0.0))[:1]


def _wishes(reading: Reading, heard: Opinion, scores: Mapping[Kind, float]) -> Iterator[Wish]:
    top = max(scores, key=lambda kind: scores[kind])
    if scores[top] < UNHEARD:
        return
    alone = [wish for wish in reading.wishes if wish.kind in _ALONE]
    if alone and top in _RELEASES:
        yield from alone
        return
    if top in _FILED:
        if "?" in reading.whole and top is Kind.THANKS:
            return
        rest = max(score for kind, score in scores.items() if kind is not top)
        if scores[top] > FILED and scores[top] - rest > FILED_MARGIN:
            yield _wish(top, reading, heard, SURE)
        return
    in_need = reading.wish(Kind.HELP) is not None and scores[Kind.HELP] > IN_NEED
    gravest = Kind.HELP if in_need else max(GRAVE.intersection(scores), key=lambda kind: scores[kind])
    best = max(heard.best[kind] for kind in GRAVE.intersection(scores))
    is_near = scores[gravest] > GRAVE_MAIL and scores[top] - scores[gravest] < FAR
    grave = in_need or is_near or best > GRAVE_SENTENCE
    if top in GRAVE:
        release = reading.wish(*_RELEASES)  # `I do not need your latest, I only wanted to say hello`
        faint = reading.negated and not grave and not reading.wish(top)
        yield replace(release, confidence=UNSURE) if release and faint else _wish(top, reading, heard, SURE)
        return
    persons = [kind for kind in scores if kind not in (*_ACTS, *_FILED) and kind not in GRAVE]
    said = {wish.kind for wish in reading.wishes}
    beside = [
        kind for kind in persons
        if kind is top or scores[kind] > BESIDE or heard.clauses.get(kind, -1) > BESIDE_CLAUSE
        or (kind in _OTHERWISE and scores[kind] > BESIDE_OWN and heard.clauses.get(kind, -1) > OWN_CLAUSE_BESIDE)
        or (kind in _OBJECTS and kind in said and scores[kind] > OBJECT)
    ]  # fmt: skip
    for kind in beside:
        yield _wish(kind, reading, heard, SURE)
    if grave and not beside:
        yield _wish(gravest, reading, heard, UNSURE)
    if beside and not grave and _is_nearly_wanted(beside, reading, heard, scores):
        yield _wish(Kind.ABOUT, reading, heard, NEARLY)
        return
    if beside and reading.wish(*_RELEASES) and not any(heard.clauses.get(kind, -1.0) > SECOND_CLAUSE for kind in _RELEASES):
        yield replace(next(wish for wish in reading.wishes if wish.kind in _RELEASES), confidence=UNSURE)   # for a draft
        return
    if not grave:
        acts = list(_acts(top, beside, reading, heard, scores))
        yield from acts or (replace(wish, confidence=UNSURE) for wish in reading.wishes if beside and wish.kind in _RELEASES)


def _is_nearly_wanted(beside: list[Kind], reading: Reading, heard: Opinion, scores: Mapping[Kind, float]) -> bool:
    """A certain release beside an interview, photos or the like, in a sentence of its own, but not said loudly."""
    second = TO_TALK if beside == [Kind.INTERVIEW] else SECOND
    certain = scores[Kind.ABOUT] > max(SECOND_NEARLY, scores[Kind.LATEST]) and Kind.ABOUT in heard.clauses
    return _TALKED_OF.issuperset(beside) and certain and not _is_loud(Kind.ABOUT, heard, scores, second) and not _is_in_hand(reading)


def _is_in_hand(reading: Reading) -> bool:
    """`I have your release on the wells; can I talk to the engineer?`"""
    return reading.had and not reading.wanted_language


def _acts(top: Kind, beside: list[Kind], reading: Reading, heard: Opinion, scores: Mapping[Kind, float]) -> Iterator[Wish]:
    release = max(_RELEASES, key=lambda kind: scores[kind])
    acts = (release, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE)
    first = release if top in _RELEASES else top
    second = TO_TALK if Kind.INTERVIEW in beside else SECOND
    wanted = [kind for kind in acts if (kind is first and not beside) or _has_its_clause(kind, first, heard, scores, second)]
    if Kind.SUBSCRIBE not in wanted and not beside and _is_wanted_too(first, reading, scores):
        wanted.append(Kind.SUBSCRIBE)
    if release in wanted and (not _objects_apart(beside, heard) or (beside and _is_in_hand(reading))):
        wanted.remove(release)
    others = max(score for kind, score in scores.items() if kind not in (*_ACTS, *beside))
    rivals = max((scores[kind] for kind in acts if kind not in wanted), default=-1.0)
    for kind in wanted if wanted or beside else [first]:
        margin = scores[kind] - (max(others, rivals) if kind is first else others)
        spoken = max(heard.clauses.get(one, -1.0) for one in (_RELEASES if kind in _RELEASES else (kind,))) > OWN_CLAUSE
        allowed = kind not in reading.denied and not _is_refused(kind, reading)
        allowed = allowed and (scores[kind] > CERTAIN or not _objected(kind, kind is first, reading))
        enough = scores[kind] > _least(kind, reading) and margin > MARGIN[kind] and _is_this_way(kind, scores)
        leaves = first is kind is Kind.UNSUBSCRIBE and scores[kind] > WIDE_LEAST and margin > WIDE
        apart = first is kind and scores[kind] > 0 and margin > APART and not reading.negated
        fresh = apart and kind is Kind.LATEST and _is_new(reading)
        nearly = apart and kind is Kind.ABOUT
        also = kind is Kind.SUBSCRIBE and _is_wanted_too(first, reading, scores)
        certain = SURE if enough or leaves or fresh or also else NEARLY if nearly else UNSURE
        yield _wish(kind, reading, heard, certain if (spoken or also) and allowed else UNSURE)


def _is_new(reading: Reading) -> bool:
    """The phrases hear of something new, or of a release, and of nothing else."""
    said = {wish.kind for wish in reading.wishes}
    return (reading.recent or bool(said)) and said <= {*_RELEASES, Kind.THANKS}


def _is_wanted_too(first: Kind, reading: Reading, scores: Mapping[Kind, float]) -> bool:
    """`Your latest, and put me on the list`: no sentence of its own, but the phrases hear it too. We ask before anybody is on it."""
    said = reading.wish(Kind.SUBSCRIBE) is not None and not reading.negated and not reading.wish(Kind.UNSUBSCRIBE)
    return first in _RELEASES and said and scores[Kind.SUBSCRIBE] > ALSO and _is_this_way(Kind.SUBSCRIBE, scores)


def _is_this_way(kind: Kind, scores: Mapping[Kind, float]) -> bool:
    """On the list and off it are said in the same words: one must be much likelier than the other."""
    other = {Kind.SUBSCRIBE: Kind.UNSUBSCRIBE, Kind.UNSUBSCRIBE: Kind.SUBSCRIBE}.get(kind)
    return other is None or scores[kind] - scores[other] > THIS_WAY


def _objected(kind: Kind, first: bool, reading: Reading) -> bool:
    """In a mail of a few words an unknown verb beside the release, or a `not`, changes everything; on and off the list are near."""
    said = {wish.kind for wish in reading.wishes}
    short = reading.words <= FEW_WORDS
    if kind is Kind.UNSUBSCRIBE:
        return (Kind.SUBSCRIBE in said and kind not in said) or (not first and kind not in said)
    if kind is Kind.SUBSCRIBE:
        return Kind.UNSUBSCRIBE in said or (kind not in said and (short or not first)) or (short and reading.negated)
    return short and (bool(reading.unexplained_beside) or (kind is Kind.LATEST and kind not in said))


def _is_refused(kind: Kind, reading: Reading) -> bool:
    """`Do not send me your latest release`: however sure what was learned is of a release, in a few words a `not` is meant."""
    return kind in _RELEASES and reading.negated and reading.words <= REFUSAL_WORDS


def _objects_apart(beside: list[Kind], heard: Opinion) -> bool:
    """`Photos of your release on the wells`: the release is what the photos are of, unless it is asked for loudly."""
    return set(_OBJECTS).isdisjoint(beside) or max(heard.clauses.get(kind, -1.0) for kind in _RELEASES) > LOUD


def _has_its_clause(kind: Kind, first: Kind, heard: Opinion, scores: Mapping[Kind, float], second: float) -> bool:
    """Asked for in a sentence of its own, not only spoken of."""
    if kind is not first and scores[kind] < {Kind.UNSUBSCRIBE: FAREWELL, Kind.SUBSCRIBE: BESIDE_LIST}.get(first, second):
        return False
    return _is_loud(kind, heard, scores, second)


def _is_loud(kind: Kind, heard: Opinion, scores: Mapping[Kind, float], second: float = SECOND) -> bool:
    clause = max(heard.clauses.get(one, -1.0) for one in (_RELEASES if kind in _RELEASES else (kind,)))
    return scores[kind] > (second if kind in _RELEASES else SECOND) and clause > SECOND_CLAUSE


def _least(kind: Kind, reading: Reading) -> float:
    if kind is Kind.LATEST and not reading.recent:
        return LEAST_UNDATED
    said = {wish.kind for wish in reading.wishes}
    if kind not in _RELEASES:
        return LEAST_LIST
    return LEAST if kind in said or (kind in _RELEASES and not said.isdisjoint(_RELEASES)) else LEAST_UNSAID


def _wish(kind: Kind, reading: Reading, heard: Opinion, confidence: float) -> Wish:
    """Its evidence are the words of the phrases, or those that the learned voice goes by."""
    said = reading.wish(kind)
    return Wish(kind, said.evidence if said else heard.telling.get(kind, ()), confidence)
