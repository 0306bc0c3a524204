"""Face swapping with roop's command line: ``python run.py -s photo.jpg -t video.mp4 -o out.mp4 …``."""

import sys

from backend import setup

if __name__ == "__main__":
    setup.ensure()

    from backend.swap_command import main

    sys.exit(main(["roop", *sys.argv[1:]]))
