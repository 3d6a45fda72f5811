"""What every generator must hold, whoever makes its pictures."""

import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from PIL import Image

from ml_service.errors import InvalidRequest, ServiceError
from ml_service.wire.contract import CategoryParameter, FloatParameter, IntParameter, ParameterSpace, Point, Value
from tests.pictures import picture, saved, telling_jpeg
from web.adapters.generators.atonce import AtOnce
from web.adapters.generators.local import LocalGenerator
from web.ports.making import Generated, GenerateRequest, Generator
from web.services.studies.previews import made_at_once

SOURCE = saved(picture(192, 128), "JPEG", quality=95)


@pytest.fixture(params=["local"])
def generator(request: pytest.FixtureRequest) -> Generator:
    return {"local": AtOnce(LocalGenerator())}[request.param]


def asked(point: Mapping[str, Value], source: bytes = SOURCE, prompt: str = "", seed: int = 1) -> GenerateRequest:
    return GenerateRequest(source, "image/jpeg", {"prompt": prompt} if prompt else {}, dict(point), seed)


def opened(made: Generated) -> Image.Image:
    image = Image.open(io.BytesIO(made.body))
    image.load()
    return image


def corners(space: ParameterSpace) -> list[Point]:
    """The default with one parameter at an end of its range, or at one of its choices."""
    points = [space.default()]
    for name, parameter in space.parameters.items():
        match parameter:
            case FloatParameter() | IntParameter():
                points += [space.default() | {name: parameter.low}, space.default() | {name: parameter.high}]
            case CategoryParameter():
                points += [space.default() | {name: choice} for choice in parameter.choices]
    return points


def test_its_name_can_be_a_resource_and_a_key(generator: Generator) -> None:
    assert generator.name.isidentifier()
    assert generator.name == generator.name.lower()


def test_its_space_holds_its_default_and_survives_the_wire(generator: Generator) -> None:
    space = generator.space()
    assert space.faults(space.default()) == []
    assert ParameterSpace.model_validate_json(space.model_dump_json()) == space
    for parameter in space.parameters.values():
        if not isinstance(parameter, CategoryParameter):
            assert parameter.low < parameter.high


def test_what_it_makes_is_what_it_says(generator: Generator) -> None:
    made = made_at_once(generator, asked(generator.space().default()))
    image = opened(made)
    assert Image.MIME[str(image.format)] == made.media_type
    assert image.size == (made.width, made.height)
    assert made.cost_micros >= 0


def test_the_same_request_gives_the_same_bytes_from_every_thread(generator: Generator) -> None:
    requests = [asked(point, seed=seed) for point in corners(generator.space())[-3:] for seed in (1, 2)]
    alone = [made_at_once(generator, request).body for request in requests]
    with ThreadPoolExecutor(4) as pool:
        assert [made.body for made in pool.map(partial(made_at_once, generator), requests)] == alone


def test_every_corner_of_its_space_makes_a_picture_of_the_same_shape(generator: Generator) -> None:
    plain = made_at_once(generator, asked(generator.space().default()))
    bodies = set()
    for point in corners(generator.space()):
        made = made_at_once(generator, asked(point))
        assert opened(made).size == (plain.width, plain.height)
        bodies.add(made.body)
    assert len(bodies) > len(generator.space().parameters)


def test_what_a_point_leaves_out_is_at_its_default(generator: Generator) -> None:
    assert made_at_once(generator, asked({})) == made_at_once(generator, asked(generator.space().default()))


def test_a_prompt_matters(generator: Generator) -> None:
    plain = made_at_once(generator, asked({}))
    assert made_at_once(generator, asked({}, prompt="Make it warmer and more vivid.")).body != plain.body


def test_prompt_components_of_others_do_no_harm(generator: Generator) -> None:
    request = GenerateRequest(SOURCE, "image/jpeg", {"of_another_generator": "warm"}, {}, 1)
    assert made_at_once(generator, request).width == made_at_once(generator, asked({})).width


@pytest.mark.parametrize("point", [{"no such parameter": 1.0}, "too high", "of the wrong kind"], ids=str)
def test_a_point_outside_its_space_is_refused(generator: Generator, point: Point | str) -> None:
    name, parameter = next(
        (name, each) for name, each in generator.space().parameters.items() if isinstance(each, FloatParameter)
    )
    wrong: dict[str, Point] = {"too high": {name: parameter.high + 1}, "of the wrong kind": {name: "warm"}}
    with pytest.raises(InvalidRequest):
        made_at_once(generator, asked(wrong[point] if isinstance(point, str) else point))


@pytest.mark.parametrize("source", [b"", b"no image", SOURCE[:40]], ids=["empty", "words", "head"])
def test_a_source_that_is_no_image_is_refused(generator: Generator, source: bytes) -> None:
    with pytest.raises(ServiceError):
        made_at_once(generator, asked({}, source))


def test_nothing_of_the_sources_metadata_comes_out(generator: Generator) -> None:
    made = made_at_once(generator, asked({}, telling_jpeg()))
    assert not opened(made).getexif()
    assert {"exif", "icc_profile", "comment", "xmp"}.isdisjoint(opened(made).info)
    assert b"Spycam" not in made.body


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_sources_of_every_kind_we_take_are_read(generator: Generator, kind: str) -> None:
    made = made_at_once(generator, asked({}, saved(picture(192, 128), kind, quality=95)))
    assert np.abs(np.asarray(opened(made), np.int16) - np.asarray(picture(192, 128), np.int16)).mean() < 4
