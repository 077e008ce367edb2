"""What a person says to steer the voice: "Stop!", "arrête", "más despacio", "停".

Whole utterances only: whoever asks what the stop sign says asks a question. All languages count at once, as nobody
changes the language to be silent. The words of `phrases.HELP` are among them in every language. It does not know what a
command does.
"""
from __future__ import annotations

import re
import unicodedata

# Without accents and marks, in small letters, as `_plain` leaves them; one utterance between two bars.
_UTTERANCES = {
    'hush': """stop|stop it|stop talking|stop speaking|stop that|hush|shut up|be quiet|be silent|silence|shush|sh|shh
        shhh
        enough|that is enough|thats enough|quiet now|no more|cancel
        para|parate|parar|alto|basta|silencio|callate|calla|callese|ya basta|deja de hablar|detente|cancela
        stopp|halt|ruhe|sei still|seien sie still|sei ruhig|still|stille|schweig|schluss|hor auf|horen sie auf|genug
        klappe
        aufhoren|abbrechen|arrete|arretez|arrete toi|tais toi|taisez vous|chut|ca suffit|assez|tais toi donc|annule
        停|停止|停下|别说了|别说话|不要说了|安静|闭嘴|住口|够了|别讲了|不要讲了|取消""",
    'more': """more|tell me more|more details|more detail|details|go on|continue|keep going|what else|say more
        more about it
        in detail|the rest|mas|dime mas|cuentame mas|mas detalles|detalles|continua|sigue|que mas|el resto
        mehr|mehr davon|sag mehr|sag mir mehr|erzahl mehr|erzahl mir mehr|mehr details|einzelheiten|genauer|was noch
        plus|dis m en plus|dites m en plus|plus de details|details|la suite|continue|continuez|quoi d autre
        更多|多说点|多说一点|继续|继续说|详细|详细点|详细一点|再多说|还有吗|还有什么""",
    'repeat': """repeat|repeat that|repeat it|say again|say that again|say it again|again|once more|pardon|pardon me
        what did you say|come again|can you repeat that|could you repeat that|i did not hear you|i didnt hear you
        repite|repitelo|repetir|repita|otra vez|de nuevo|que has dicho|que dijiste|como
        wiederhole|wiederhol das|wiederholen|wiederhole das|noch einmal|nochmal|noch mal|wie bitte|was hast du gesagt
        sag das noch einmal|repete|repetez|encore|encore une fois|redis|redites|qu as tu dit|comment|pardon
        重复|再说一遍|再说一次|再说一下|再来一遍|重说|你说什么|没听清|没听清楚""",
    'pause': """pause|wait|wait a moment|hold on|one moment|resume|unpause|pausa|espera|un momento|reanuda|reanudar
        pausieren|warte|warte mal|moment|einen moment|moment mal|attends|attendez|un instant|reprends|reprenez
        暂停|等一下|等等|等一等|稍等|恢复|接着说""",
    'back': """back|go back|previous|the previous one|before|last one|previous one
        atras|anterior|vuelve|volver|el anterior|la anterior|zuruck|vorheriges|vorige|das vorige|das davor
        retour|precedent|precedente|en arriere|reviens|上一个|后退|返回|前一个|上一条|上一句""",
    'next': """next|next one|the next one|forward|skip|skip it|skip that|siguiente|el siguiente|la siguiente|proximo
        adelante
        saltar|salta|weiter|nachstes|das nachste|nachster|uberspringen|vor|suivant|suivante|le suivant|la suivante
        passe
        下一个|下一条|下一句|跳过""",
    'quiet': """quiet|quiet mode|only when asked|only when i ask|speak only when asked|dont talk unless asked
        discreto|modo discreto|modo silencioso|habla solo si pregunto|solo cuando pregunto|solo si pregunto
        ruhemodus|leise|nur auf fragen|nur wenn ich frage|sprich nur auf fragen
        discret|mode discret|mode silencieux|seulement si je demande|parle seulement si je demande
        安静模式|勿扰|勿扰模式|问了再说|我问你才说""",
    'status': """status|state|how are you|are you there|are you ready|are you working|can you see|can you see me
        what is your status
        battery|how is the battery|estado|como estas|estas ahi|estas listo|puedes ver|bateria
        zustand|wie geht es dir|wie gehts|bist du da|bist du bereit|kannst du sehen|siehst du was|akku|akkustand
        etat|statut|tu es la|es tu la|es tu pret|tu vois|peux tu voir|batterie|comment vas tu|ca va
        状态|你在吗|你好吗|准备好了吗|看得见吗|你看得见吗|电量""",
    'help': """help|help me|commands|what can i say|what can you do|how does this work|what are the commands
        instructions
        ayuda|ayudame|comandos|que puedo decir|que puedes hacer|instrucciones
        hilfe|hilf mir|befehle|was kann ich sagen|was kannst du|anleitung
        aide|aide moi|aidez moi|commandes|que puis je dire|que sais tu faire|instructions
        帮助|帮帮我|帮我|命令|有什么命令|我能说什么|你能做什么|说明""",
    'faster': """faster|speak faster|talk faster|quicker|speed up|too slow|mas rapido|habla mas rapido|mas deprisa
        acelera
        schneller|sprich schneller|rede schneller|zu langsam|plus vite|parle plus vite|parlez plus vite|accelere
        快一点|快点|说快一点|说快点|太慢了|加快""",
    'slower': """slower|speak slower|talk slower|more slowly|speak more slowly|slow down|too fast|not so fast
        mas lento|mas despacio|habla mas despacio|habla mas lento|demasiado rapido|langsamer|sprich langsamer
        rede langsamer
        zu schnell|nicht so schnell|plus lentement|moins vite|parle plus lentement|parlez plus lentement|trop vite
        ralentis
        慢一点|慢点|说慢一点|说慢点|太快了|减慢""",
    'read': """read|read it|read that|read this|read it to me|read the text|read it out|read aloud|read text
        read out loud
        lee|leelo|lee eso|lee esto|lee el texto|leer|leeme eso|lies|lies vor|lies das|lies es vor|lies das vor|vorlesen
        lies den text|lies mir das vor|lis|lis le|lis ca|lisez|lis le texte|lis moi ca|lire
        朗读|读|读一下|读出来|念|念一下|念出来|读文字|读给我听""",
    'spell': """spell|spell it|spell that|spell this|spell the last word|spell it out|letter by letter
        how do you spell that
        deletrea|deletrealo|deletrear|letra por letra|buchstabiere|buchstabier das|buchstabieren|buchstabiere das
        epelle|epelle le|epelez|epeler|lettre par lettre|拼读|拼一下|拼出来|怎么拼|逐字""",
    'mute': """mute|sound off|turn off the sound|turn the sound off|go mute|silencia|silenciar|sin sonido|mudo
        apaga el sonido
        stumm|stummschalten|ton aus|ton abschalten|muet|coupe le son|couper le son|son coupe|静音|关掉声音|关声音""",
    'unmute': """unmute|sound on|turn on the sound|turn the sound on|con sonido|activa el sonido|enciende el sonido
        ton an|ton ein|stummschaltung aus|remets le son|active le son|remettre le son|取消静音|打开声音|开声音""",
    'narrate_on': """narrate|narration on|narrate on|start narrating|start narration|tell me what you see
        describe everything
        narra|narracion activada|activa la narracion|empieza a narrar|narrar|erzahle|erzahlen an|erzahlen ein
        fang an zu erzahlen
        raconte|narration activee|active la narration|commence a raconter|讲述|开始讲述|打开讲述|开始描述""",
    'narrate_off': """narration off|narrate off|stop narrating|stop narration|stop the narration|no narration
        dont narrate
        narracion desactivada|desactiva la narracion|deja de narrar|no narres|erzahlen aus|hor auf zu erzahlen
        nicht erzahlen
        narration desactivee|desactive la narration|arrete de raconter|arrete la narration
        停止讲述|关闭讲述|别讲述了|不要讲述|停止描述""",
}
# Around a command; "hey" and a name before it are the business of whoever listens.
_FILLERS = re.compile(r'\b(?:please|now|thanks|thank you|just|okay|ok|hey|oh|por favor|ahora|gracias|ya|bitte|jetzt'
                      r'|danke|mal|doch|s il te plait|s il vous plait|svp|stp|merci|maintenant)\b'
                      r'|请你?|谢谢|吧$|[了啊]$')
_LONGEST = 80   # characters; no command is longer
_MARKS = re.compile(r'[^\w\s]|_')


def command_of(heard: str) -> str:
    """The command that somebody said, '' where it is none: then it is a question.

    Returns: hush, more, repeat, pause, back, next, quiet, status, help, faster, slower, read, spell, mute, unmute,
        narrate_on, narrate_off or ''.
    """
    if len(heard) > _LONGEST:
        return ''
    said = _plain(heard)
    return _COMMANDS.get(said) or _COMMANDS.get(_once(' '.join(_FILLERS.sub(' ', said).split()))) or ''


def _plain(heard: str) -> str:
    """Small letters without accents, apostrophes and marks, single spaces."""
    letters = unicodedata.normalize('NFKD', heard.casefold().replace('ß', 'ss'))
    letters = ''.join(one for one in letters if not unicodedata.combining(one)).replace("n't", 'nt')
    return ' '.join(_MARKS.sub(' ', letters).split())


def _once(said: str) -> str:
    """Of "stop stop stop" one."""
    words = said.split()
    return words[0] if words and set(words) == {words[0]} else said


_COMMANDS = {_plain(utterance): command for command, table in _UTTERANCES.items()
             for line in table.splitlines() for utterance in line.split('|')}
