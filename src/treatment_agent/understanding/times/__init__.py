"""Reads days, hours and windows out of a message: a small grammar, in English and Spanish.

From the outside, `reading.read_times` is all that is needed; `options` looks at the mentions too.

| module | what it does |
|---|---|
| `reading` | the times of one message as windows, an instant, a date to write again; which week a bare "friday" is in |
| `tokens` | cuts the message into words, numbers, dates and clock times |
| `page` | the tokens with what must be known to read them; looks up the phrases of `phrases.toml` |
| `rewording` | writes out "MWF", "twenty first", "from tuesday to friday" before anything is read |
| `clock_times`, `hour_numbers` | which numbers are hours, and of which half of the day |
| `day_hours` | hours: clock times, "after 3", "10 to 2", parts of the day |
| `calendar_words`, `calendar_days` | words for days and months; stretches of dates and how they combine |
| `day_names`, `weekdays` | dates, days of the month, named days; weekdays |
| `periods`, `shifts` | "next week", "early december"; "in two weeks", "a week's notice" |
| `day_phrases` | what turns one day into another: after, before, until, from, ranges |
| `mentions`, `mention_state` | goes through the message: which days and hours are named, which are turned down |
| `happenings`, `small_talk` | what is told as a reason or in passing, and is no wish |
| `suiting` | which hours belong to which days |

A new way of saying a known thing is a line in `phrases.toml`.
"""
