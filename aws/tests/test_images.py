from datetime import UTC, datetime

import pytest

from aws import session
from aws.errors import AwsError
from aws.images import list_images, resolve_image


def test_the_images_of_a_repository_are_listed_by_tag_with_digests(access, sandbox):
    images = list_images(access, sandbox.repository_uri)
    assert dict(sandbox.images).items() <= {image.tag: image.reference for image in images}.items()
    assert all(image.reference == f"{sandbox.repository_uri}@{image.digest}" for image in images)


def test_the_newest_image_of_all_pages_comes_first_and_each_tag_is_listed(scripted):
    access, answer = scripted
    asked = {"registryId": "123456789012", "repositoryName": "team/shop", "filter": {"tagStatus": "TAGGED"}}

    def detail(day, *tags):
        pushed_at = datetime(2026, 11, day, tzinfo=UTC)
        return {"imageDigest": f"sha256:{day:064}", "imageTags": list(tags), "imagePushedAt": pushed_at}

    answer(
        session.ecr(access),
        ("describe_images", asked, {"imageDetails": [detail(2, "v2")], "nextToken": "more"}),
        (
            "describe_images",
            {**asked, "nextToken": "more"},
            {"imageDetails": [detail(1, "v1"), detail(3, "v3", "latest")]},
        ),
    )
    images = list_images(access, "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/shop")
    assert [image.tag for image in images] == ["v3", "latest", "v2", "v1"]
    assert images[0].digest == images[1].digest


def test_a_tag_is_resolved_to_its_digest(access, sandbox):
    image = resolve_image(access, f"{sandbox.repository_uri}:green")
    assert (image.tag, image.reference) == ("green", sandbox.images["green"])


def test_a_digest_is_resolved_if_the_image_is_still_there(access, sandbox):
    assert resolve_image(access, sandbox.images["yellow"]).reference == sandbox.images["yellow"]


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ],
)
def test_an_index_of_several_architectures_is_refused_since_no_function_can_have_it(scripted, kind):
    access, answer = scripted
    asked = {
        "registryId": "123456789012",
        "repositoryName": "team/shop",
        "imageIds": [{"imageTag": "v2"}],
    }
    found = {"imageDigest": "sha256:" + "2" * 64, "imageManifestMediaType": kind}
    answer(session.ecr(access), ("describe_images", asked, {"imageDetails": [found]}))
    with pytest.raises(AwsError, match="index of images for several architectures") as refused:
        resolve_image(access, "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/shop:v2")
    assert refused.value.code == "aws:image-index"


@pytest.mark.parametrize("ending", [":purple", "@sha256:" + "0" * 64])
def test_an_image_that_is_not_there_is_named(access, sandbox, ending):
    with pytest.raises(AwsError) as refused:
        resolve_image(access, sandbox.repository_uri + ending)
    assert refused.value.code == "aws:image-missing"
    wanted = sandbox.repository_uri + ending
    assert refused.value.message == f"There is no image {wanted} in ECR. Push it, or choose another one."


def test_a_repository_that_is_not_there_is_named(access, sandbox):
    with pytest.raises(AwsError) as refused:
        list_images(access, sandbox.repository_uri + "-other")
    assert refused.value.code == "aws:repository-missing"


@pytest.mark.parametrize("uri", ["nginx", "docker.io/library/nginx", "x.dkr.ecr.eu.amazonaws.com/nginx", ""])
def test_what_is_no_repository_of_ecr_is_refused_before_anything_is_asked(access, uri):
    with pytest.raises(AwsError) as refused:
        list_images(access, uri)
    assert refused.value.code == "aws:no-repository"
