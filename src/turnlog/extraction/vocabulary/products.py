"""Goods, programs and services that people use by name."""

from turnlog.extraction.vocabulary.listed import phrases

PRODUCTS = phrases(
    """
advil, airpods, alexa, android, android studio, angular, apple watch, aws, azure, bitbucket, blender, bluetooth, chatgpt,
chrome, chromebook, claude, clickhouse, confluence, copilot, debian, discord, django, docker, dropbox, dyson, echo dot,
elasticsearch, emacs, evernote, excel, facebook, figma, final cut, firefox, fitbit, flask, galaxy, garageband, garmin,
gemini, gimp, git, github, gitlab, gmail, google calendar, google docs, google drive, google maps, google meet,
google photos, google sheets, gopro, gpt-4, gpt-4o, grafana, homebrew, ibuprofen, icloud, illustrator, imessage, imovie,
indesign, instagram, intellij, ios, ipad, iphone, ipod, jenkins, jira, jupyter, kafka, kindle, kotlin, kubernetes,
laravel, latex, lightroom, linkedin, linux, lyrica, mac, macbook, macbook air, macbook pro, macos, mailchimp, matlab,
mongodb, mysql, neovim, nespresso, nextcloud, nginx, nintendo switch, node.js, nodejs, notion, obsidian, onedrive,
onenote, oneplus, outlook, ozempic, pandas, paracetamol, photoshop, pinterest, pixel, playstation, postgres, postgresql,
power bi, powerpoint, premiere, ps4, ps5, pycharm, pytorch, quickbooks, raspberry pi, react, reddit, redis, redshift,
roku, roomba, safari, sharepoint, shopify, siri, slack, snowflake, sonos, spotify, sqlite, steam deck, strava,
sublime text, surface pro, svelte, switch, tableau, telegram, tensorflow, terraform, thermomix, thinkpad, thunderbird,
tiktok, todoist, trello, twitch, twitter, tylenol, typescript, ubuntu, unity, unreal engine, vim, visual studio, vlc,
vs code, vscode, vue, wechat, whatsapp, wikipedia, windows, windows 10, windows 11, wordpress, xbox, xcode, xero, youtube,
zapier, zendesk, zoom
"""
)
"""In lower case; some have several words."""
