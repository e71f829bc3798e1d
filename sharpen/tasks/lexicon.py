"""The words of the embedded world: few, each one token of the embedded tokenizer, shared by all families."""

NAMES = (
    "Ada", "Ben", "Cal", "Dora", "Eli", "Fay", "Gus", "Hana", "Ivo", "Jan", "Kim", "Lea", "Max", "Nia", "Otto", "Pia",
    "Quin", "Rosa", "Sam", "Tom", "Uma", "Vera", "Will", "Xena", "Yuri", "Zoe", "Amir", "Bela", "Cora", "Dan", "Ema",
    "Finn", "Gina", "Hugo", "Iris", "Jude", "Kara", "Liam", "Mona", "Noah",
)  # fmt: skip
THINGS = ("apples", "books", "coins", "shells", "stamps", "beads", "cards", "pens", "nuts", "cups")
ANIMALS = ("cat", "dog", "cow", "horse", "sheep", "fox", "bear", "wolf", "mouse", "owl", "frog", "duck")
FRUITS = ("apple", "pear", "plum", "fig", "grape", "lemon", "melon", "peach", "mango", "kiwi", "lime", "cherry")
COLOURS = ("red", "blue", "green", "black", "white", "brown", "pink", "grey", "gold", "violet", "orange", "teal")
TOOLS = ("saw", "drill", "axe", "file", "rake", "spade", "wrench", "chisel", "hammer", "pliers", "plane", "awl")
CITIES = (
    "Arlon", "Breda", "Cadiz", "Derby", "Evora", "Fermo", "Ghent", "Hilo", "Izmir", "Jaffa", "Kyoto", "Lima", "Malmo",
    "Nice", "Oslo", "Pisa", "Quito", "Riga", "Sofia", "Turin", "Umea", "Varna", "Worms", "York",
)  # fmt: skip
COUNTRIES = (
    "Aland", "Borea", "Corvia", "Dalmia", "Eastia", "Fenland", "Gondia", "Highmark", "Istria", "Jorvia", "Kelland",
    "Lorraine",
)  # fmt: skip
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
NONSENSE = (
    "wug", "dax", "fep", "zib", "tove", "mip", "lorp", "gazz", "blick", "snarf", "quib", "plon", "vesh", "crint",
    "dorb", "yalp",
)  # fmt: skip
