"""The word lists of `likeness`, in five languages. A word that is missing makes it a little blunter, nothing else."""
from __future__ import annotations

# Words that carry nothing, and words for the place in the picture and for it being one.
EMPTY = {
    'en': """a an the this that these those it its he she they them his her their there here is are was were be been
        being has have had having do does did can could may might will would shall should of in on at by for from to
        with without and or but as into onto over under up down out off about than then so such very quite rather
        slightly somewhat also both each some any which who whose what while where when one's appears appear
        appearing seems seem looks look looking visible seen showing shown shows image picture photo scene view
        region area object thing left right upper lower top bottom middle center centre corner side foreground
        background front near part""",
    'es': """el la los las un una unos unas lo de del en a al con sin por para y e o u que se su sus es son está están
        era hay como más muy pero también parece parecen visible imagen foto escena región zona objeto cosa
        izquierda derecha arriba abajo superior inferior centro medio lado esquina fondo frente parte sobre junto""",
    'de': """der die das den dem des ein eine einen einem einer eines es er sie ihr sein seine ist sind war hat haben
        wird von vom im in an am auf aus bei mit ohne zu zum zur und oder aber als wie sehr auch etwas dass welche
        welcher scheint wirkt sichtbar bild foto szene bereich gegenstand ding links rechts oben unten linke rechte
        obere untere oberen unteren mitte rand ecke seite hintergrund vordergrund teil neben""",
    'fr': """le la les l un une des du de d en dans à au aux avec sans par pour et ou que qui se son sa ses est sont
        était il elle ils elles y a ce cet cette ces plus très mais aussi comme semble semblent visible image photo
        scène région zone objet chose gauche droite haut bas supérieur inférieur centre milieu côté coin fond partie
        sur sous près""",
    'zh': '的 了 是 在 有 和 与 一 个 只 条 张 块 把 这 那 它 他 她 着 里 上 下 中 左 右 边 图 片 画 面',
}
# Of these groups a thing is one at a time: another word of the same group is news however alike the rest is.
GROUPS = {
    'en': ('red orange yellow green blue purple pink brown black white grey gold silver beige', 'open closed shut',
           'sitting standing lying walking running jumping sleeping flying', 'full empty',
           'two three four five six'),
    'es': ('rojo naranja amarillo verde azul morado rosa marrón negro blanco gris', 'abierto cerrado',
           'sentado parado tumbado caminando corriendo durmiendo', 'lleno vacío', 'dos tres cuatro cinco seis'),
    'de': ('rot orange gelb grün blau lila rosa braun schwarz weiß grau', 'offen geschlossen geöffnet',
           'sitzt steht liegt läuft rennt schläft', 'voll leer', 'zwei drei vier fünf sechs'),
    'fr': ('rouge orange jaune vert bleu violet rose brun noir blanc gris', 'ouvert fermé',
           'assis debout couché marche court dort', 'plein vide', 'deux trois quatre cinq six'),
    'zh': ('红 橙 黄 绿 蓝 紫 棕 黑 白 灰', '开 关', '坐 站 躺 走 跑 睡', '二 两 三 四 五 六'),
}
SAME = {
    'gray': 'grey', 'violet': 'purple', 'lies': 'lying', 'sits': 'sitting', 'stands': 'standing', 'walks': 'walking',
    'runs': 'running', 'reddish': 'red', 'brownish': 'brown', 'greyish': 'grey', 'bluish': 'blue', 'greenish': 'green',
    'yellowish': 'yellow', 'blanca': 'blanco', 'blanche': 'blanc', 'verte': 'vert', 'bleue': 'bleu', 'noire': 'noir',
    'grise': 'gris'}
# Longest first. What is left has at least three letters.
ENDINGS = {'en': ('ingly', 'edly', 'ies', 'ing', 'ed', 'es', 'ly', 's'), 'es': ('mente', 'es', 'as', 'os', 's',
        'a', 'o'),
            'de': ('en', 'er', 'es', 'em', 'e', 'n', 's'), 'fr': ('ement', 'es', 'e', 's', 'x'), 'zh': ()}
# Each introduces a thing. (Chinese has no articles; what lives is found by its characters.)
INTRODUCES = {
    'en': 'a an another two three four five six some several',
    'es': 'un una unos unas otro otra dos tres cuatro cinco seis varios varias',
    'de': 'ein eine einen einem einer eines zwei drei vier fünf sechs einige mehrere',
    'fr': 'un une des deux trois quatre cinq six plusieurs', 'zh': ''}
# What has just come along where it is named: several names of the same on one line.
BEINGS = {
    'en': ('person people man men woman women lady gentleman guy someone human pedestrian figure boy girl',
           'child children kid kids baby toddler boy girl boys girls person people', 'dog dogs puppy puppies',
           'cat cats kitten', 'bird birds pigeon pigeons', 'horse horses', 'cow cows', 'car cars vehicle', 'bus buses',
           'truck van lorry vehicle', 'bicycle bike bicycles bikes', 'motorcycle motorbike scooter'),
    'es': ('persona personas gente hombre mujer hombres mujeres señor señora chico chica',
           'niño niña niños niñas bebé chico chica persona personas', 'perro perros perra cachorro', 'gato gatos gata',
           'pájaro pájaros paloma', 'caballo caballos', 'coche coches auto carro vehículo', 'autobús',
           'camión furgoneta', 'bicicleta bici', 'moto motocicleta'),
    'de': ('person personen mensch menschen leute mann männer frau frauen herr dame junge mädchen',
           'kind kinder baby junge mädchen person personen', 'hund hunde welpe', 'katze katzen kater',
           'vogel vögel taube', 'pferd pferde', 'auto autos wagen fahrzeug', 'bus busse', 'lastwagen lkw transporter',
           'fahrrad rad fahrräder', 'motorrad roller'),
    'fr': ('personne personnes gens homme femme hommes femmes monsieur dame garçon fille',
           'enfant enfants bébé garçon fille personne personnes', 'chien chiens chienne chiot', 'chat chats chatte',
           'oiseau oiseaux pigeon', 'cheval chevaux', 'voiture voitures véhicule', 'bus autobus', 'camion camionnette',
           'vélo bicyclette vélos', 'moto scooter'),
    'zh': ('人 男 女', '孩 童 婴', '狗 犬', '猫', '鸟 鸽', '马', '车'),
}
# What a thing has is no other thing: to tell it or not is a matter of wording.
PARTS = {
    'en': """coat collar beard handle lid wheel leg arm strap logo label pattern stripe stem leaf leaves frame edge
        surface base top screen button sleeve hood tail ear face hair design colour color shade tone texture finish
        shape body rim line light shadow background cushion backrest seat""",
    'es': 'asa tapa rueda pata brazo correa etiqueta patrón hoja marco borde superficie base pantalla cola pelo barba',
    'de': 'griff henkel deckel rad bein lehne gurt etikett muster blatt rahmen rand oberfläche bildschirm fell bart',
    'fr': 'anse poignée couvercle roue pied accoudoir sangle étiquette motif feuille cadre bord surface écran barbe',
}
