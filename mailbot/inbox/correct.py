"""Corrects an edition that people may have, or withdraws a release: in one transaction, and twice is once.

From the same instant the old text is served to nobody, whatever brings it and has not left is stopped, who was to get it gets the new one,
and a mail is queued to everybody who has got the old one. A mail that was just leaving counts where its outcome is known: tell_late.
Everything begins with the edition's own row (correction_store.hold_still), so that it is before or after each of these, never between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mailbot.audience import suppression_store
from mailbot.broadcast.rewrite import Rewritten, call_off, rewrite
from mailbot.cases import store as cases
from mailbot.cases.case import Case, CaseState
from mailbot.database.engine import Tx
from mailbot.inbox import compose_case, kept_draft
from mailbot.inbox.compose import edition_of, rendered_answer
from mailbot.inbox.compose_correction import addressed, correction_mail, same_words, withdrawal_mail
from mailbot.inbox.give_back import give_back
from mailbot.inbox.hand_over import Desk
from mailbot.inbox.write_anew import current, write_anew
from mailbot.message import token
from mailbot.outbox import recall_store
from mailbot.outbox.delivery import Kind
from mailbot.outbox.recall_store import Unsent
from mailbot.outbox.store import Draft
from mailbot.releases import correction_store
from mailbot.releases import store as releases
from mailbot.releases.correction import Correction, Received, corrected, to_be_told
from mailbot.releases.release import Edition, Release, day_of, public_editions
from mailbot.releases.sentence_difference import Change, difference
from mailbot.releases.sign_off_store import require_signed
from mailbot.rendering import render


@dataclass(slots=True, kw_only=True)
class Done:
    """What came of it. Addresses stand for the mails that go, went or may have gone there; `correction` None: it was so already."""

    correction: Correction | None
    changes: tuple[Change, ...] = ()
    rewritten: list[str] = field(default_factory=list)      # they get the new text instead of the old one
    given_back: list[str] = field(default_factory=list)     # a colleague has to answer them
    cases: int = 0                                          # whose prepared answer is another one now, or none
    told: list[Received] = field(default_factory=list)
    suppressed: list[str] = field(default_factory=list)
    in_doubt: list[tuple[str, str]] = field(default_factory=list)
    announced: int = 0                                      # mails of announcements that had not left: rewritten, or called off


def correct(tx: Tx, desk: Desk, slug: str, read: Edition, reason: str, now: datetime) -> Done:
    """`read` is what the file says. Raises NoSuchRelease, CannotCorrect, NotSigned."""
    releases.alone(tx)
    release = releases.load(tx, slug)
    if release is None:
        raise releases.NoSuchRelease(slug)
    old = next(edition for edition in release.editions if edition.slug == slug)
    new = corrected(old, read, release, now)
    correction = correction_store.replace_published(tx, new, reason, now)
    done = Done(correction=correction, changes=difference(old, new))
    if correction is None:
        return done
    editions = tuple(new if one.slug == slug else one for one in release.editions)
    signatory = desk.office.signatory.address if desk.office.signatory else ""
    release = replace(release, editions=editions)
    require_signed(tx, release, signatory)  # what is not signed is undone with all of this
    library = _library(tx)
    renamed = (old.title, day_of(old)) != (new.title, day_of(new))
    for one in recall_store.unsent(tx, (slug,)):
        if one.draft.edition == slug or renamed:
            _stop(tx, desk, one, f"{slug} was corrected", library, done, now)
    _announced(done, rewrite(tx, desk.office, release, new, f"{slug} was corrected", now))
    _change_cases(tx, desk, (slug,), correction, library, done, now)
    _tell(tx, desk, correction, done, now)
    done.in_doubt += recall_store.in_doubt(tx, (slug,))
    return done


def withdraw(tx: Tx, desk: Desk, release_id: str, reason: str, now: datetime) -> Done:
    """Every edition of it. Raises NoSuchRelease."""
    correction, _ = correction_store.withdraw(tx, release_id, reason, now)
    done = Done(correction=correction)
    if correction is None:
        return done
    library = _library(tx)
    slugs = [edition.slug for edition in library[release_id].editions]
    why = f"{release_id} was withdrawn{f': {reason}' if reason else ''}"
    for one in recall_store.unsent(tx, slugs):
        _stop(tx, desk, one, why, library, done, now)
    _announced(done, call_off(tx, release_id, why, now))
    _change_cases(tx, desk, slugs, correction, library, done, now)
    _tell(tx, desk, correction, done, now)
    done.in_doubt += recall_store.in_doubt(tx, slugs)
    return done


def tell_late(tx: Tx, desk: Desk, draft: Draft, now: datetime) -> None:
    """A mail has arrived that was leaving while its release was corrected or withdrawn: its reader is told like all the others."""
    correction = correction_store.latest(tx, draft.release, draft.edition) if draft.edition else None
    if correction is not None:
        _tell(tx, desk, correction, Done(correction=correction), now)


def take_back(tx: Tx, desk: Desk, delivery_id: str, why: str, now: datetime) -> None:
    """A mail was stopped when it was to leave, because its release was corrected or withdrawn after it had been queued."""
    for stopped in recall_store.unsent_ones(tx, [delivery_id], stopped=True):
        done = Done(correction=None)
        _replace(tx, desk, stopped, why, _library(tx), done, now)
        if stopped.draft.kind is Kind.CORRECTION:
            tell_late(tx, desk, stopped.draft, now)


def _announced(done: Done, rewritten: Rewritten) -> None:
    done.announced += rewritten.waiting
    done.in_doubt += rewritten.in_doubt


def _library(tx: Tx) -> dict[str, Release]:
    return {release.id: release for release in releases.load_all(tx)}


def _stop(tx: Tx, desk: Desk, one: Unsent, why: str, library: Mapping[str, Release], done: Done, now: datetime) -> None:
    """Where it has begun to leave meanwhile, its outcome is waited for."""
    if recall_store.stop(tx, one.id, why, now):
        _replace(tx, desk, one, why, library, done, now)


def _replace(tx: Tx, desk: Desk, one: Unsent, why: str, library: Mapping[str, Release], done: Done, now: datetime) -> None:
    if one.draft.kind is not Kind.ANSWER:
        return  # an earlier correction: the new one is for the same people
    if write_anew(tx, desk, one, library, now):
        done.rewritten.append(one.draft.recipient.address)
    else:
        give_back(tx, desk, one.draft, one.id, "stopped", why, f"{one.id}.withdrawn", now)
        done.given_back.append(one.draft.recipient.address)


def _change_cases(
    tx: Tx, desk: Desk, slugs: Sequence[str], correction: Correction, library: Mapping[str, Release], done: Done, now: datetime
) -> None:
    """The answers that colleagues would send by a yes, and the notes that show them."""
    for case in cases.waiting(tx):
        if case.draft is None or case.draft["edition"] not in slugs:
            continue
        done.cases += 1
        changed = _redrafted(desk, case, library, now)
        cases.redraft(tx, case.id, changed.draft, changed.note)
        colleague = next((one for one in desk.office.colleagues if one.address == case.colleague), None)
        if case.state is not CaseState.OPEN or colleague is None:
            continue  # who looks at it later sees it as it is then
        for note in recall_store.unsent_ones(tx, cases.notes_of(tx, case.id)):
            if note.draft.kind is Kind.HAND_OFF:
                recall_store.stop(tx, note.id, "its prepared answer was corrected or withdrawn", now)
        delivery_id = desk.new_id()
        reference = token.subject_token(desk.secret, delivery_id)
        passed_on = "withdrawn" if correction.withdraws else "corrected"
        note_mail = compose_case.note(desk.office, changed, colleague, reference, passed_on)
        if desk.queue(tx, replace(note_mail, key=f"hand-off:{case.mail}:{passed_on}:{correction.id}"), delivery_id, now):
            cases.add_note(tx, case.id, delivery_id, reference, colleague, now)


def _redrafted(desk: Desk, case: Case, library: Mapping[str, Release], now: datetime) -> Case:
    assert case.draft is not None
    decision = kept_draft.taken_up(case.draft)
    public = {edition.slug: edition for release in library.values() for edition in public_editions(release, now)}
    if decision.edition not in public:
        skeleton = render(desk.office.words, case.language, "skeleton", {"organisation": desk.office.values}).text
        return replace(case, draft=None, note={**case.note, "draft": None, "skeleton": skeleton})
    text = rendered_answer(desk.office, compose_case.remembered(case), current(decision, public), library, case.language).text
    draft = {"title": edition_of(library, decision.edition).title, "text": text}
    return replace(case, note={**case.note, "draft": draft})


def _tell(tx: Tx, desk: Desk, correction: Correction, done: Done, now: datetime) -> None:
    """A mail to everybody who has to hear of it and has none yet. Not of what is under embargo, nor that what is back was withdrawn."""
    release = releases.load(tx, correction.release)
    if release is None:
        return
    editions = {edition.slug: edition for edition in release.editions}
    now_says = None if correction.withdraws else editions[correction.edition]
    served = {edition.slug for edition in public_editions(release, now)}
    if (now_says is not None and now_says.slug not in served) or (now_says is None and served):
        return
    past = {one.content_hash: one.edition for one in correction_store.past(tx, release.id)}
    already = correction_store.told(tx, correction)
    slugs = (correction.edition,) if correction.edition else tuple(editions)
    written: dict[tuple[object, ...], Draft] = {}
    for one in to_be_told(correction, recall_store.received(tx, slugs), past, now_says):
        if one.recipient.key in already:
            continue
        if suppression_store.is_suppressed(tx, one.recipient.key):
            done.suppressed.append(one.recipient.address)
            continue
        words = same_words(one)  # hundreds may have got it by the same mail, and other writers wait for us
        if words not in written:
            before = past.get(one.content_hash)
            if now_says is None:
                written[words] = withdrawal_mail(desk.office, correction, one, before or editions[one.edition])
            else:
                written[words] = correction_mail(desk.office, correction, one, before, now_says, release)
        draft = addressed(written[words], correction, one)
        delivery_id = desk.new_id()
        if desk.queue(tx, draft, delivery_id, now) and correction_store.tell(tx, correction, one.recipient.key, delivery_id):
            done.told.append(one)
