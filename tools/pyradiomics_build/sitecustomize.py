"""Let pyradiomics 3.0.1 be built on Python 3.12 and newer.

Its build script asks ``configparser`` for two names that Python 3.12 removed. The Makefile puts
this folder on PYTHONPATH for that one build, where Python imports this file by its name; nothing
else sees it.
"""

import configparser

if not hasattr(configparser, "SafeConfigParser"):
    configparser.SafeConfigParser = configparser.ConfigParser
    configparser.ConfigParser.readfp = configparser.ConfigParser.read_file
