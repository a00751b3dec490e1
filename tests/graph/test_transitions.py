"""The table of phases, enumerated: what it allows, what it must never allow."""

from __future__ import annotations

import itertools

import pytest

from treatment_agent.domain.conversation import TRANSITIONS, Conversation, Move, Phase, next_phase
from treatment_agent.domain.turn import Decision, Say
from treatment_agent.policies.progress import advance

SENDING = (Move.TOUCH, Move.ASK, Move.OFFER, Move.REQUEST_BOOKING, Move.CALL_BACK, Move.DEFER)


class TestTable:
    def test_names_every_move_once_and_only_known_phases(self):
        assert set(TRANSITIONS) == set(Move)
        for starts, target in TRANSITIONS.values():
            assert len(set(starts)) == len(starts)
            assert target is None or target in Phase

    @pytest.mark.parametrize(("phase", "move"), list(itertools.product(Phase, Move)))
    def test_leads_where_it_says_or_refuses(self, phase, move):
        starts, target = TRANSITIONS[move]
        if phase in starts:
            assert next_phase(phase, move) is (target or phase)
        else:
            with pytest.raises(ValueError, match="not allowed"):
                next_phase(phase, move)

    def test_reaches_every_phase_from_queued(self):
        reached, frontier = {Phase.QUEUED}, [Phase.QUEUED]
        while frontier:
            phase = frontier.pop()
            for starts, target in TRANSITIONS.values():
                if phase in starts and target is not None and target not in reached:
                    reached.add(target)
                    frontier.append(target)
        assert reached == set(Phase)

    @pytest.mark.parametrize("move", SENDING)
    @pytest.mark.parametrize("phase", [Phase.OPTED_OUT, Phase.WITH_STAFF, Phase.CLOSED])
    def test_has_no_sending_move_after_opt_out_handoff_or_closing(self, phase, move):
        assert phase not in TRANSITIONS[move][0]

    def test_leaves_opted_out_only_by_a_fresh_opt_in(self):
        leaving = {m for m, (starts, t) in TRANSITIONS.items() if Phase.OPTED_OUT in starts and t is not None}
        assert leaving == {Move.OPT_IN, Move.REVOKE}

    def test_lets_everyone_revoke_from_everywhere(self):
        assert set(TRANSITIONS[Move.REVOKE][0]) == set(Phase)

    def test_outreach_starts_only_where_a_touch_may(self):
        assert Phase.WITH_STAFF not in TRANSITIONS[Move.TOUCH][0]
        assert Phase.NEEDS_REVIEW not in TRANSITIONS[Move.TOUCH][0]
        assert Phase.BOOKED not in TRANSITIONS[Move.TOUCH][0]


class TestAdvance:
    @pytest.mark.parametrize("move", list(Move))
    def test_moves_only_as_the_table_allows(self, move):
        for phase in Phase:
            conversation = Conversation(id="c", phase=phase)
            decision = Decision(move=move, rules=("reply.ack",), says=(Say("thanks"),))
            if phase in TRANSITIONS[move][0]:
                moved = advance(conversation, decision)
                assert moved.phase in {TRANSITIONS[move][1] or phase, Phase.WITH_STAFF}
            else:
                with pytest.raises(ValueError, match="not allowed"):
                    advance(conversation, decision)
