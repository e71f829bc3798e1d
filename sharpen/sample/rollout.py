"""Attempts: one batched call per turn, in any environment."""

from collections.abc import Sequence
from dataclasses import replace

from sharpen.core.ports import Env, Sampler
from sharpen.core.records import Attempt, Completion, Finish, Message, Problem, Sampling, Scene, Stop, Turn


def rollout(
    policy: Sampler, env: Env, problems: Sequence[Problem], how: Sampling, most_turns: int = 16
) -> list[Attempt]:
    """`how.n` attempts per problem, side by side; a turn that hits its token limit ends its attempt, unless the world
    opens another try after it. An attempt whose next turn finds no room in the model's context has ended before it; a
    first turn without room is a turn in which nothing is said."""
    how = replace(how, max_tokens=min(how.max_tokens, env.max_tokens))
    opened = [env.open(problem) for problem in problems]
    first = policy.sample([scene.chat for scene in opened], how)
    scenes = [scene for scene in opened for _ in range(how.n)]
    said = [completion for group in first for completion in group]
    turns: list[tuple[Turn, ...]] = [()] * len(scenes)
    stops: list[Stop | None] = [None] * len(scenes)
    alive = list(range(len(scenes)))
    for turn in range(1, most_turns + 1):
        for row, completion in zip(alive, said, strict=True):
            stops[row] = Stop.FULL if completion.finish is Finish.FULL else None
            if stops[row] is None or not turns[row]:
                turns[row] += (Turn(scenes[row].chat, (completion.piece,), scenes[row].trial),)
        moved = [(row, completion) for row, completion in zip(alive, said, strict=True) if stops[row] is None]
        stepped = env.step_many([scenes[row] for row, _ in moved], [_action(completion) for _, completion in moved])
        for (row, completion), scene in zip(moved, stepped, strict=True):
            another = scene.trial != scenes[row].trial
            scenes[row], stops[row] = scene, _stop(completion, scene, another, last=turn == most_turns)
        alive = [row for row in alive if stops[row] is None]
        if not alive:
            break
        said = [group[0] for group in policy.sample([scenes[row].chat for row in alive], how.times(1))]
    asked = [problem for problem in problems for _ in range(how.n)]
    return [
        Attempt(problem, moves, policy.weights, stop or Stop.DONE)
        for problem, moves, stop in zip(asked, turns, stops, strict=True)
    ]


def _action(completion: Completion) -> Message:
    return Message("assistant", completion.text, completion.piece.tokens)


def _stop(completion: Completion, scene: Scene, another: bool, last: bool) -> Stop | None:
    if completion.finish is Finish.LENGTH and not another:
        return Stop.LENGTH
    if completion.finish is Finish.ERROR:
        return Stop.ERROR
    if scene.done:
        return Stop.DONE
    return Stop.TURNS if last else None
