"""The same files and weights give the numbers of torch-fidelity, pytorch-fid, clean-fid and lpips.

The peers run unchanged, but for where their weights come from: files made of our tensors.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from torch import Tensor, nn

from i2i.evaluation.folders import evaluate_folders
from i2i.metrics.extractors import InceptionExtractor
from i2i.metrics.frechet import Moments, frechet_distance
from i2i.metrics.kernel import subset_mmd
from i2i.weights import load

torch_fidelity = pytest.importorskip("torch_fidelity")
torch_fidelity_fid = pytest.importorskip("torch_fidelity.metric_fid")
torch_fidelity_resize = pytest.importorskip("torch_fidelity.interpolate_compat_tensorflow")
pytorch_fid = pytest.importorskip("pytorch_fid.fid_score")
pytorch_fid_network = pytest.importorskip("pytorch_fid.inception")
clean_fid = pytest.importorskip("cleanfid.fid")
clean_fid_resize = pytest.importorskip("cleanfid.resize")
lpips = pytest.importorskip("lpips")

Inception = Callable[..., InceptionExtractor]

MOST = 256
"""The size that has more images, and that all presets are measured at."""

SIZES = [64, *(pytest.param(size, marks=pytest.mark.slow) for size in (MOST, 299, 512))]

# The peers rely on what other packages deprecate.
pytestmark = [
    pytest.mark.xdist_group("peers"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning"),
]


@dataclass(frozen=True)
class Folders:
    """Images to be judged, and what they are compared with."""

    outputs: Path
    targets: Path

    def __iter__(self) -> Iterator[Path]:
        return iter((self.outputs, self.targets))


def written(folder: Path, photos: Tensor, size: int, blur: float = 0) -> Path:
    folder.mkdir(parents=True)
    for i, photo in enumerate(photos):
        image = Image.fromarray(photo.permute(1, 2, 0).numpy())
        image = image.resize((size, size), Image.Resampling.LANCZOS)
        if blur:
            image = image.filter(ImageFilter.GaussianBlur(blur))
        image.save(folder / f"{i:03}.png")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, photos: Tensor) -> Callable[[int], Folders]:
    """Slightly blurred photos against the same, and at most sizes some more, by their size.

    They are close to each other, so that it shows how images are read and resized: presets are
    apart by 2 to 20% between such photos, by less than 0.5% between photos of other facades.
    """
    root = tmp_path_factory.mktemp("images")

    @cache
    def of_size(size: int) -> Folders:
        outputs, targets = (12, 12) if size == MOST else (6, 8)
        return Folders(
            written(root / f"{size}" / "outputs", photos[:outputs], size, blur=size / 512),
            written(root / f"{size}" / "targets", photos[:targets], size),
        )

    return of_size


@pytest.fixture(scope="module")
def ours(inception: Inception, folders: Callable[[int], Folders]) -> Callable[..., dict[str, Any]]:
    """What i2i says of the folders, by size."""

    @cache
    def measured(size: int) -> dict[str, Any]:
        presets = ["tf1", "pytorch-fid", "clean"] if size == MOST else ["tf1"]
        metrics = [f"fid:preset={preset}" for preset in presets]
        return evaluate_folders(*folders(size), metrics=[*metrics, f"kid:{KID}"])

    return measured


KID = "preset=tf1,subset_size=6,subsets=40,seed=7"


def images(folder: Path) -> Tensor:
    arrays = [np.asarray(Image.open(file)) for file in sorted(folder.iterdir())]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)


@pytest.fixture(scope="module")
def state(inception: Inception) -> Mapping[str, Tensor]:
    """Inception's weights as the peers want them: with a classifier that nothing here uses."""
    classifier = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    return {**load("inception").tensors, **classifier}


@pytest.fixture(scope="module")
def weights_file(state: Mapping[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(dict(state), path)
    return path


def pixels(shape: tuple[int, int]) -> Tensor:
    """Two images of noise."""
    source = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, 3, *shape), generator=source, dtype=torch.uint8)


@dataclass(frozen=True)
class Peer:
    """What torch-fidelity says of two folders."""

    fid: float
    kid: float
    kid_deviation: float
    features: tuple[Tensor, Tensor]


@pytest.fixture(scope="module")
def fidelity(
    weights_file: Path,
    folders: Callable[[int], Folders],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[int], Peer]:
    """What torch-fidelity says of the folders, by size."""

    @cache
    def measured(size: int) -> Peer:
        kept = tmp_path_factory.mktemp("fidelity")
        outputs, targets = folders(size)
        found = torch_fidelity.calculate_metrics(
            input1=str(outputs),
            input2=str(targets),
            input1_cache_name="outputs",
            input2_cache_name="targets",
            cache_root=str(kept),
            fid=size == MOST,
            kid=True,
            kid_subset_size=6,
            kid_subsets=40,
            rng_seed=7,
            feature_extractor_weights_path=str(weights_file),
            cuda=False,
            batch_size=8,
            save_cpu_ram=True,
            verbose=False,
        )
        features = [
            torch.load(*kept.glob(f"{role}-*-features-2048.pt")) for role in ("outputs", "targets")
        ]
        return Peer(
            found.get("frechet_inception_distance") or fidelity_distance(*features),
            found["kernel_inception_distance_mean"],
            found["kernel_inception_distance_std"],
            (features[0], features[1]),
        )

    return measured


@pytest.fixture(scope="module")
def peer_network(state: Mapping[str, Tensor]) -> Callable[..., nn.Module]:
    """pytorch-fid's network, built as it builds it, with our tensors instead of a download."""

    def build(**options: Any) -> nn.Module:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pytorch_fid_network, "load_state_dict_from_url", lambda *_, **__: state)
            network: nn.Module = pytorch_fid_network.InceptionV3([3], **options).eval()
        return network

    return build


def in_their_span(outputs: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
    """Features in coordinates of the space they span, where distances are the same.

    scipy's root of a 2048 x 2048 matrix, which the peers take, lasts half a minute.
    """
    both = np.concatenate([outputs, targets]).astype(np.float64)
    basis, _ = np.linalg.qr(both.T)
    coordinates = both @ basis
    return [coordinates[: len(outputs)], coordinates[len(outputs) :]]


def fidelity_distance(outputs: Tensor, targets: Tensor) -> float:
    """torch-fidelity's FID of features, which takes seconds in 2048 dimensions."""
    statistics = [
        torch_fidelity_fid.fid_features_to_statistics(torch.from_numpy(features))
        for features in in_their_span(outputs.numpy(), targets.numpy())
    ]
    found = torch_fidelity_fid.fid_statistics_to_metric(*statistics, verbose=False)
    return float(found["frechet_inception_distance"])


# --- torch-fidelity


@pytest.mark.parametrize("size", SIZES)
def test_fid_tf1_is_torch_fidelity_s(
    size: int, ours: Callable[..., dict[str, Any]], fidelity: Callable[[int], Peer]
) -> None:
    measured = ours(size)["metrics"]["fid:preset=tf1"]
    assert measured == pytest.approx(fidelity(size).fid, rel=1e-4)


@pytest.mark.parametrize("size", SIZES)
def test_kid_is_torch_fidelity_s_with_its_spread(
    size: int, ours: Callable[..., dict[str, Any]], fidelity: Callable[[int], Peer]
) -> None:
    details = ours(size)["details"][f"kid:{KID}"]
    assert details["value"] == pytest.approx(fidelity(size).kid, abs=1e-5)
    assert details["standard_deviation"] == pytest.approx(fidelity(size).kid_deviation, abs=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_features_are_torch_fidelity_s(
    size: int,
    inception: Inception,
    folders: Callable[[int], Folders],
    fidelity: Callable[[int], Peer],
) -> None:
    features = inception("tf1")(images(folders(size).targets))
    peer = fidelity(size).features[1]
    # Of the largest: torch-fidelity in another memory format differs from itself by 1e-5 as it is.
    assert (features - peer).abs().max() < 1e-5 * peer.abs().max()


@pytest.mark.parametrize("shape", [(64, 64), (299, 299), (512, 512), (300, 200), (97, 640)])
def test_tf1_resizes_to_torch_fidelity_s_pixels(
    shape: tuple[int, int], inception: Inception
) -> None:
    noise = pixels(shape).float()
    expected = torch_fidelity_resize.interpolate_bilinear_2d_like_tensorflow1x(
        noise, size=(299, 299), align_corners=False
    )
    assert torch.equal(inception("tf1").prepare(noise.clone()), (expected - 128) / 128)


# --- pytorch-fid


def test_fid_pytorch_fid_is_pytorch_fid_s(
    ours: Callable[..., dict[str, Any]],
    folders: Callable[[int], Folders],
    peer_network: Callable[..., nn.Module],
) -> None:
    network = peer_network()
    outputs, targets = in_their_span(
        *(
            pytorch_fid.get_activations(
                sorted(folder.iterdir()), network, batch_size=8, num_workers=0
            )
            for folder in folders(MOST)
        )
    )
    expected = pytorch_fid.calculate_frechet_distance(
        outputs.mean(0),
        np.cov(outputs, rowvar=False),
        targets.mean(0),
        np.cov(targets, rowvar=False),
    )
    measured = ours(MOST)["metrics"]["fid:preset=pytorch-fid"]
    assert measured == pytest.approx(expected, rel=1e-4)


def test_presets_are_more_than_half_a_percent_apart(ours: Callable[..., dict[str, Any]]) -> None:
    values = [ours(MOST)["metrics"][f"fid:preset={p}"] for p in ("tf1", "pytorch-fid", "clean")]
    for one, other in combinations(values, 2):
        assert abs(one - other) / min(one, other) > 0.005


# --- clean-fid


def clean_resizes_apart(image: Tensor, inception: Inception) -> float:
    """How far preset clean's pixels are from clean-fid's, on 0 to 255."""
    expected = clean_fid_resize.build_resizer("clean")(image.permute(1, 2, 0).numpy())
    resized = inception("clean").prepare(image[None].float())[0] * 128 + 128
    return float(np.abs(resized.permute(1, 2, 0).numpy() - expected).max())


@pytest.mark.parametrize(
    "shape", [(1, 1), (16, 31), (64, 64), (256, 256), (299, 299), (300, 200), (97, 640), (700, 512)]
)
def test_clean_resizes_to_clean_fid_s_pixels(shape: tuple[int, int], inception: Inception) -> None:
    assert clean_resizes_apart(pixels(shape)[0], inception) < 1e-3


def test_clean_resizes_photos_to_clean_fid_s_pixels(photos: Tensor, inception: Inception) -> None:
    for photo in (photos[0], photos[1, :, 20:120, :230]):
        assert clean_resizes_apart(photo, inception) < 1e-3


def test_fid_clean_is_clean_fid_s(
    ours: Callable[..., dict[str, Any]],
    folders: Callable[[int], Folders],
    peer_network: Callable[..., nn.Module],
) -> None:
    # Its own network, a TorchScript, is the same layers; it scales as here.
    network = peer_network(resize_input=False, normalize_input=False)
    features = [
        clean_fid.get_folder_features(
            str(folder),
            lambda batch: network((batch - 128) / 128)[0].flatten(1),
            num_workers=0,
            batch_size=8,
            device=torch.device("cpu"),
            mode="clean",
            verbose=False,
        )
        for folder in folders(MOST)
    ]
    expected = clean_fid.fid_from_feats(*in_their_span(*features))
    assert ours(MOST)["metrics"]["fid:preset=clean"] == pytest.approx(expected, rel=1e-4)


# --- lpips


@pytest.fixture
def peer_lpips(weights: Path) -> Callable[[str], nn.Module]:
    """The package's own metric, made as its users make it; only torchvision's download is ours."""
    networks = pytest.importorskip("lpips.pretrained_networks").tv

    def convolutions(name: str) -> Callable[..., nn.Module]:
        build = getattr(networks, name)

        def pretrained(**_: Any) -> nn.Module:
            with torch.device("meta"):
                network: nn.Module = build(weights=None)
            del network.classifier
            network.load_state_dict(load(name).tensors, assign=True)
            return network

        return pretrained

    def build(net: str) -> nn.Module:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("alexnet", "vgg16"):
                patch.setattr(networks, name, convolutions(name))
            peer: nn.Module = lpips.LPIPS(net=net, verbose=False)
        return peer

    return build


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_lpips_is_the_package_s(
    net: str, peer_lpips: Callable[[str], nn.Module], photos: Tensor, tmp_path: Path
) -> None:
    outputs = written(tmp_path / "outputs", photos[:6], 128, blur=1.5)
    targets = written(tmp_path / "targets", photos[:6], 128)
    pair = (images(folder) / 127.5 - 1 for folder in (outputs, targets))
    with torch.inference_mode():
        expected = peer_lpips(net)(*pair).mean().item()
    text = f"lpips:net={net}"
    measured = evaluate_folders(outputs, targets, metrics=[text])["metrics"][text]
    assert measured == pytest.approx(expected, abs=1e-5)
    assert expected > 0.05


def test_lpips_of_equal_images_is_zero(weights: Path, photos: Tensor, tmp_path: Path) -> None:
    folder = written(tmp_path / "photos", photos[:3], 96)
    assert evaluate_folders(folder, folder, metrics=["lpips"])["metrics"]["lpips"] == 0


# --- the numbers of torchmetrics's own documentation


@pytest.fixture
def documented(
    state: Mapping[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[Any, Tensor, Tensor]]]:
    """A metric of torchmetrics's as its documentation builds it, and then draws two sets of images.

    Building it draws random numbers, too, and so does what it computes afterwards.
    """
    network = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    monkeypatch.setattr(network, "load_state_dict_from_url", lambda *_, **__: state)

    def build(metric: Callable[..., Any], *arguments: Any) -> tuple[Any, Tensor, Tensor]:
        torch.manual_seed(123)
        built = metric(*arguments)
        one = torch.randint(0, 200, (100, 3, 299, 299), dtype=torch.uint8)
        other = torch.randint(100, 255, (100, 3, 299, 299), dtype=torch.uint8)
        return built, one, other

    with torch.random.fork_rng():
        yield build


@pytest.mark.slow
def test_our_first_layers_give_torchmetrics_s_documented_fid(
    documented: Callable[..., tuple[Any, Tensor, Tensor]], inception: Inception
) -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    extractor = inception("tf1")
    to_64 = extractor.network().stem[:4]
    moments = Moments(), Moments()
    for images, gathered in zip(documented(FrechetInceptionDistance, 64)[1:], moments, strict=True):
        for batch in images.split(20):
            gathered.update(to_64(extractor.prepare(batch.float())).mean((2, 3)))
    measured = frechet_distance(*(gathered.gaussian() for gathered in moments))
    assert measured == pytest.approx(12.7202, abs=5e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The ``compute`` method:UserWarning", "ignore:Metric `Kernel")
def test_our_features_give_torchmetrics_s_documented_kid(
    documented: Callable[..., tuple[Any, Tensor, Tensor]], inception: Inception
) -> None:
    from torchmetrics.image.kid import KernelInceptionDistance

    metric, one, other = documented(KernelInceptionDistance, 2048, 100, 50)
    extractor = inception("tf1")
    metric.real_features, metric.fake_features = [extractor(one)], [extractor(other)]
    mean, deviation = (value.item() for value in metric.compute())
    assert mean == pytest.approx(0.0337, abs=5e-5)
    assert deviation == pytest.approx(0.0023, abs=5e-5)
    estimate = subset_mmd(
        metric.real_features[0], metric.fake_features[0], subsets=100, size=50, seed=0
    )
    assert estimate.mean == pytest.approx(mean, abs=4 * estimate.standard_error)
    assert estimate.standard_deviation == pytest.approx(deviation, rel=0.3)
