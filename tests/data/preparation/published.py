"""Small copies of published sets, in exactly their layout: folders, names, headers and quirks."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.data.preparation.sounds import write_sounds, write_text


def audiocaps(root: Path) -> None:
    head = "audiocap_id,youtube_id,start_time,caption"
    write_text(
        root / "train.csv",
        head,
        '91139,r1nicOVtvkQ,130,"A woman talks nearby, as water pours"',
        "58146,-vi0aaaaaaa,0,Rain falls",
        "91140,r1nicOVtvkQ,30,A dog barks",
    )
    write_text(
        root / "val.csv",
        head,
        *(f"{i},val00000000,10,a bell {i} rings" for i in range(97151, 97156)),
    )
    write_text(
        root / "test.csv",
        head,
        *(f"{i},test0000000,20,a man {i} speaks" for i in range(103549, 103554)),
    )
    write_sounds(
        root / "audio",
        "train/91139.wav",
        "train/Y-vi0aaaaaaa.wav",
        "r1nicOVtvkQ_30000_40000.flac",
        "val/val00000000_10.wav",
        "test/103549.wav",
    )


def clotho(root: Path) -> None:
    captions = "file_name,caption_1,caption_2,caption_3,caption_4,caption_5"
    metadata = "file_name,keywords,sound_id,sound_link,start_end_samples,manufacturer,license"
    names = {
        "development": (" Ambience Birds", "Rain: a storm", "Same"),
        "validation": ("Same",),
        "evaluation": ("Santa Motor",),
    }
    for split, stems in names.items():
        write_text(
            root / f"clotho_captions_{split}.csv",
            captions,
            *(f'{stem}.wav,"One, of {split}",Two.,Three.,Four.,Five.' for stem in stems),
        )
        write_text(
            root / f"clotho_metadata_{split}.csv",
            metadata,
            *(
                f'{stem}.wav,a;b,{number},https://freesound.org/s/1,"[1, 2]",Andr\u00e9,'
                "http://creativecommons.org/licenses/by/3.0/"
                for stem, number in zip(stems, ("327673", "Not found", "7"), strict=False)
            ),
            encoding="latin-1",
        )
    write_sounds(
        root,
        "development/ Ambience Birds.wav",
        "development/Rain_ a storm.wav",
        "development/Same.wav",
        "validation/Same.wav",
        "evaluation/Santa Motor.wav",
        rate=44100,
    )


def fsd50k(root: Path) -> None:
    guitar = "Electric_guitar,Guitar,Plucked_string_instrument,Musical_instrument,Music"
    write_text(
        root / "FSD50K.ground_truth" / "dev.csv",
        "fname,labels,mids,split",
        f'64760,"{guitar}","/m/02sgy,/m/0342h",train',
        '1001,"Guitar,Plucked_string_instrument,Musical_instrument,Music","/m/1",train',
        '1002,"Music","/m/2",train',
        '1004,"Musical_instrument,Music","/m/3",train',
        '1005,"Plucked_string_instrument,Musical_instrument,Music","/m/3",train',
        '1003,"Laughter,Human_voice","/m/3",val',
        '1006,"Human_voice","/m/3",val',
    )
    write_text(
        root / "FSD50K.ground_truth" / "eval.csv",
        "fname,labels,mids",
        '37199,"Accelerating_and_revving_and_vroom,Engine","/m/07q2z82"',
        '37200,"Engine","/m/07q2z82"',
    )
    write_text(
        root / "FSD50K.metadata" / "collection" / "collection_dev.csv",
        "fname,labels,mids",
        '1003,"Belly_laugh,Giggle","/m/4"',
    )
    for part, names in (("dev", (64760, 1001, 1002, 1003)), ("eval", (37199,))):
        clips = {str(name): {"license": "CC0", "uploader": "x"} for name in names}
        write_text(root / "FSD50K.metadata" / f"{part}_clips_info_FSD50K.json", json.dumps(clips))
    write_sounds(root / "FSD50K.dev_audio", *(f"{n}.wav" for n in (64760, *range(1001, 1007))))
    write_sounds(root / "FSD50K.eval_audio", "37199.wav", "37200.wav")


def wavcaps(root: Path) -> None:
    def told(*rows: dict) -> str:
        return json.dumps({"num_captions_per_audio": 1, "data": rows})

    tables = root / "json_files"
    write_text(
        tables / "AudioSet_SL" / "as_final.json",
        told({"id": "Yb0RFKhbpFJA.wav", "caption": "Wind.", "audio": "wav_path", "duration": 10.0}),
    )
    sounds = [
        {"id": "2219", "caption": "An airplane is landing.", "href": "2219.html", "duration": 14.1},
        {"id": "2217", "caption": "It is raining heavily.", "href": "2217.html", "duration": 86.4},
    ]
    write_text(tables / "SoundBible" / "sb_final.json", json.dumps(sounds))  # the older form
    write_text(
        tables / "BBC_Sound_Effects" / "bbc_final.json",
        told({"id": "NHU05104090", "caption": "Birds sing.", "duration": 60.0, "href": "x"}),
    )
    write_text(
        tables / "FreeSound" / "fsd_final.json", told({"id": "9", "caption": "A.", "duration": 1.0})
    )
    deep = "mnt/data/waveforms"
    write_sounds(
        root,
        f"{deep}/AudioSet_SL_flac/Yb0RFKhbpFJA.flac",
        f"{deep}/SoundBible_flac/2219.flac",
        f"{deep}/SoundBible_flac/2217.flac",
        f"{deep}/BBC_Sound_Effects_flac/NHU05104090.flac",
        f"{deep}/FreeSound_flac/9.flac",
        rate=32000,
    )


def audioset(root: Path) -> None:
    def segments(name: str, *rows: str) -> None:
        write_text(
            root / name,
            "# Segments csv created Sun Mar  5 10:54:31 2017",
            "# num_ytids=2, num_segs=2, num_unique_labels=3, num_positive_labels=3",
            "# YTID, start_seconds, end_seconds, positive_labels",
            *rows,
        )

    segments(
        "balanced_train_segments.csv",
        '--PJHxphWEs, 30.000, 40.000, "/m/09x0r,/t/dd00088"',
        '--ZhevVpy1s, 50.000, 60.000, "/m/012xff"',
    )
    segments("unbalanced_train_segments.csv", '---1_cCGK4M, 0.000, 10.000, "/m/09x0r"')
    segments("eval_segments.csv", '--4gqARaEJE, 0.000, 10.000, "/m/068hy,/m/09x0r"')
    write_text(
        root / "class_labels_indices.csv",
        "index,mid,display_name",
        '0,/m/09x0r,"Speech"',
        '506,/t/dd00088,"Inside, small room"',
        "3,/m/012xff,Toothbrush",
        '4,/m/068hy,"Domestic animals, pets"',
    )
    write_sounds(
        root,
        "bal_train/--PJHxphWEs.flac",
        "bal_train/Y--ZhevVpy1s.wav",
        "unbal_train/---1_cCGK4M_0_10.wav",
        "eval/--4gqARaEJE_0.000_10.000.wav",
    )


def jamendo(root: Path) -> None:
    head = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS"
    rows = (
        "track_0000214\tartist_000014\talbum_000031\t14/214.mp3\t124.6\tgenre---punkrock",
        "track_0000382\tartist_000020\talbum_000046\t82/382.mp3\t211.1\tgenre---classical\tinstrument---voice",
        "track_0000241\tartist_000005\talbum_000033\t41/241.mp3\t340.1\tgenre---rock",
    )
    data = root / "mtg-jamendo-dataset" / "data"
    write_text(data / "raw_30s.tsv", head, *rows)
    for split, row in zip(("train", "validation", "test"), rows, strict=True):
        write_text(data / "splits" / "split-0" / f"autotagging-{split}.tsv", head, row)
    write_text(
        data.parent / "audio_licenses.txt",
        "14/214.mp3",
        "Song A by Artist from Jamendo: http://www.jamendo.com/track/214",
        "Available under a Creative Commons Attribution license: http://creativecommons.org/licenses/by/3.0/",
        "",
    )
    write_sounds(root / "audio-low", "14/214.low.mp3", "82/382.low.mp3", "41/241.low.mp3")


def speech(root: Path) -> None:
    chapter = "medium/960/history_of_holland_64kb_mp3/holland_01_edmundson_64kb"
    write_sounds(
        root,
        f"{chapter}.flac",
        "clean/french_data/M-AILABS/fr_FR/a.wav",
        "clean/german_speech/b.wav",
        "clean/read_speech/book_00000_chp_0009_reader_06709_0_seg_1_seg1.wav",
        "avspeech/AvWWVOgaMlk_90.000000_93.566667.wav",
        "avspeech/videoidtest_1-4.wav",
    )
    write_text(root / f"{chapter}.json", json.dumps({"speaker": "960", "snr": 5.4}))
    write_text(root / "avspeech_train.csv", "AvWWVOgaMlk,90,93.566667,0.586719,0.311111")
    write_text(root / "avspeech_test.csv", "videoidtest,1,4,0.5,0.3")


def music(root: Path) -> None:
    def row(label: str, video: str) -> str:
        here = "data/MUSIC/solo"
        return f"{here}/audio/{label}/{video}.wav,{here}/preprocessed/{label}/{video},212,{label}"

    write_text(
        root / "test.csv", row("acoustic_guitar", "ZeQPNWdFs_4"), row("violin", "w81p5ty4OZc")
    )
    write_text(root / "val.csv", row("tuba", "8EU0xM-pQOI"))
    write_text(root / "train.csv", row("erhu", "DlqCn_xrNRU"))
    write_sounds(
        root / "audio",
        *("acoustic_guitar/ZeQPNWdFs_4.wav", "violin/w81p5ty4OZc.wav"),
        *("tuba/8EU0xM-pQOI.wav", "erhu/DlqCn_xrNRU.wav"),
    )


def vggsound(root: Path) -> None:
    write_text(
        root / "vggsound.csv",
        '---g-f_I2yQ,1,"people marching",test',
        '--0PQM4-hqg,30,"waterfall burbling",train',
        '--56QUhyDQM,185,"bird chirping, tweeting",train',
    )
    write_sounds(
        root / "video", "---g-f_I2yQ_000001.wav", "--0PQM4-hqg_000030.wav", "--56QUhyDQM_000185.wav"
    )


def hive(root: Path) -> None:
    def mixture(number: int, split: str, *sources: tuple[str, str, float]) -> dict:
        return {
            "mix_id": f"sample_{number:08d}",
            "dataset_info": {"split": split, "sample_rate": 44100, "target_duration": 4.0},
            "sources": [
                {
                    "source_id": f"s{i}",
                    "path": path,
                    "label": label,
                    "crop_start_second": 0.1,
                    "crop_end_second": 4.1,
                    "chunk_start_second": start,
                    "chunk_end_second": start + 1.0,
                    "rms_gain": 3.5,
                    "snr_db": 0.0,
                    "applied_weight": 3.5,
                }
                for i, (path, label, start) in enumerate(sources, 1)
            ],
            "mixing_params": {"global_normalization_factor": 0.7, "final_max_amplitude": 0.95},
        }

    sea = ("BBC_Sound_Effects/NHU05104090.flac", "Ocean", 0.0)
    later = ("BBC_Sound_Effects/NHU05104090.flac", "Ocean", 1.0)
    pig = ("AudioSet/bal/--PJHxphWEs.wav", "Pig", 0.0)
    boat = ("AudioSet/bal/--ZhevVpy1s.wav", "Boat, Water vehicle", 0.0)
    for split, pairs in {
        "train": [mixture(1, "train", sea, pig), mixture(2, "train", later, pig)],
        "val": [mixture(3, "val", boat, pig)],
        "test": [mixture(4, "test", sea, boat)],
    }.items():
        folder = root / "metadata" / split / "2mix"
        write_text(folder / f"{split}_2mix_metadata_tar0001.json", json.dumps(pairs))
    write_sounds(root, "BBC_Sound_Effects/NHU05104090.flac", seconds=2.5)
    write_sounds(root, "AudioSet/bal/--PJHxphWEs.flac", "AudioSet/bal/--ZhevVpy1s.wav", seconds=1.2)


def esc50(root: Path) -> None:
    write_text(
        root / "meta" / "esc50.csv",
        "filename,fold,target,category,esc10,src_file,take",
        "1-100032-A-0.wav,1,0,dog,True,100032,A",
        "1-100038-A-14.wav,1,14,chirping_birds,False,100038,A",
        "1-17092-A-27.wav,1,27,brushing_teeth,False,17092,A",
    )
    names = ("1-100032-A-0.wav", "1-100038-A-14.wav", "1-17092-A-27.wav")
    write_sounds(root / "audio", *names, rate=44100)


def folder(root: Path) -> None:
    write_text(root / "metadata.csv", "file,caption", "a.wav,a dog", "b.wav,rain", "c.wav,wind")
    write_sounds(root, "a.wav", "b.wav", "c.wav")


PUBLISHED: dict[str, Callable[[Path], None]] = {
    make.__name__: make
    for make in (
        *(audiocaps, clotho, fsd50k, wavcaps, audioset, jamendo, speech, music, vggsound, hive),
        *(esc50, folder),
    )
}
