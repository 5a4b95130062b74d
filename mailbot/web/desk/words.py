"""Every sentence of the desk, by its key in desk.yaml, and the names that it may use besides the office's."""

from collections.abc import Mapping

from mailbot.audience.roster import NOT_A_ROSTER, WHY

_PLAIN = """
    skip nav nav-today nav-mail nav-releases nav-audience nav-broadcasts broadcast-new broadcast-release broadcast-to broadcast-all
    broadcast-at broadcast-plan broadcast-progress broadcast-stop broadcast-approve broadcast-approve-go broadcast-leaves
    broadcast-early broadcast-names broadcast-count broadcast-resume broadcast-cancel broadcast-cancel-text broadcast-plot
    broadcast-for broadcast-who broadcast-not broadcast-draft broadcast-approved broadcast-scheduled broadcast-sending
    broadcast-stopped broadcast-held broadcast-finished broadcast-cancelled left-unsubscribed left-not-confirmed left-suppressed
    left-paused left-topic-not-chosen left-duplicate left-no-edition left-has-it-already no-plan no-count no-approval no-broadcast
    done-planned done-approved done-first-approval done-broadcast-stopped done-broadcast-resumed done-broadcast-cancelled
    did-broadcast-plan did-broadcast-approve did-broadcast-stop did-broadcast-resume did-broadcast-cancel nav-settings nav-journal
    logout login-title login-address login-password login-go login-hint login-wrong login-wait enter-title enter-text enter-go
    enter-over refused-title refused-nothing refused-detail refused-back no-host no-origin no-token no-session no-role no-lost
    no-long no-form no-database no-fault no-waiting no-case no-words no-seen no-stale no-signed no-submit no-photo no-file
    no-correct no-published no-taken no-embargo no-address no-barred no-list no-list-long refused-not-yours refused-unverified
    refused-finished refused-left refused-held refused-no-draft refused-not-public refused-nobody refused-more-than-yes
    refused-empty refused-quoted refused-incomplete refused-too-short refused-attachments refused-too-many today-waiting
    today-nothing today-leaving today-leaving-nothing today-done today-health health-mode health-read health-sent health-observed
    undecided health-sending-stopped health-answers-stopped health-inbox-login health-relay-login health-inbox health-relay
    health-never mode-observe mode-draft mode-automatic never received deadline waiting undecided case-answering case-snoozed
    case-overdue outcome-send_release outcome-hand_off outcome-subscribe outcome-unsubscribe outcome-ignore outcome-record_report
    outcome-colleague_reply outcome- search-mail search-releases search-people show show-all show-waiting show-answered look older
    further nothing-found mail-one mail-no-subject mail-shielded mail-shielded-text mail-original mail-emptied mail-wordless
    mail-attachments mail-nameless mail-keep mail-sent mail-decision mail-release mail-evidence answer answer-hint answer-send
    draft-text draft-send held-text stop later later-go close close-text close-go wrong wrong-should wrong-go delivery-queued
    delivery-sending delivery-sent delivery-retrying delivery-failed delivery-uncertain delivery-suppressed delivery-cancelled
    release-write release-import release-draft release-published release-embargoed release-withdrawn release-act opens embargo-until
    stale stale-confirm parity parity-what sign-open sign-approved sign-changes sign-ask publish publish-embargo publish-seen
    publish-approver withdraw withdraw-look withdraw-go reason not-now correct correct-text correct-look correct-go edit editions
    preview look-desktop look-phone look-dark look-text photos photos-none photo-add photo-file photo-caption photo-credit
    photo-until photo-over history history-corrected told-rewritten told-given-back told-cases told-told told-doubt told-who
    write-title write-language write-date write-place write-embargo write-body write-body-hint write-notes write-topics
    write-contact write-save write-original write-problems import-files import-hint import-paste import-language import-accept
    import-go import-tried import-lines import-line import-cell import-why list-file list-unconfirmed list-try people-import
    people-export export-reason export-hint no-reason did-audience-export people-add people-origin people-origin-hint person-state
    person-every language-every person-none person-asked person-subscribed person-unsubscribed person-suppressed person-barred
    person-name person-outlet person-history person-remove person-suppress consent consent-event consent-way consent-words
    channel-mail channel-web channel-command event-asked event-confirmed event-added event-left event-returned event-removed when
    brakes brake-text brake-stop brake-resume brake-answers users users-roles users-sessions users-hint role-reader role-editor
    role-approver role-protection settings-set settings-hint check check-hint check-go check-live check-green check-red journal-text
    did-login did-enter did-logout did-user-add did-user-remove did-mail-draft did-mail-own did-mail-stop did-mail-later
    did-mail-close did-mail-wrong did-release-new did-release-import did-release-edit did-release-correct did-release-publish
    did-release-confirm did-release-submit did-release-withdraw did-photo-attach did-photo-detach did-audience-add
    did-audience-import did-person-remove did-person-suppress did-settings-check did-stop-sending did-resume-sending
    did-resume-answers done-sent done-held done-stopped done-later done-closed done-wrong done-published done-confirmed
    done-submitted done-withdrawn done-corrected done-same done-saved done-imported done-photo done-photo-gone done-added
    done-removed done-suppressed done-people done-stop done-resume done-answers
"""
_NAMED: Mapping[str, tuple[str, ...]] = {
    "broadcast-people": ("number",),
    "broadcast-done": ("ended", "recipients"),
    "broadcast-rate": ("number",),
    "broadcast-left": ("number",),
    "broadcast-goes": ("number", "minutes"),
    "broadcast-hold": ("minutes",),
    "today-counts": ("answered", "handed", "ignored"),
    "with": ("who",),
    "answer-own": ("who",),
    "release-translate": ("code",),
    "photos-count": ("number",),
    "sign-by": ("who",),
    "photo-number": ("number",),
    "photo-remove": ("number",),
    "history-told": ("number",),
    "import-counts": ("added", "updated", "unchanged", "refused"),
    "import-more": ("number",),
    "brake-due": ("number",),
    "journal-refused": ("number",),
    **{f"no-list-{kind}": () for kind in NOT_A_ROSTER},
    **{f"list-{why}": ("value",) for why in WHY},
}
LINES: Mapping[str, tuple[str, ...]] = {**dict.fromkeys(_PLAIN.split(), ()), **_NAMED}
