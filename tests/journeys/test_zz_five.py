import time
from tests.journeys.test_five_hundred import *
from tests.journeys.test_five_hundred import large
del test_five_hundred_ratings_are_stored_once_each_and_in_order
pytestmark = pytest.mark.network_fails
T0=time.monotonic()
def say(*w): print(f"{time.monotonic()-T0:8.2f}", *w, flush=True)
def test_zz(server, large, join):
    with Chaos(server.port) as network:
        rater = join(large, base_url=f"http://localhost:{network.port}")
        context = rater.page.context
        context.add_init_script(SKEWED); context.add_init_script(QUICK)
        def watch(page,n):
            page.on("request", lambda r: say(n,">>",r.method,r.url[20:70]) if LOG else None)
            page.on("requestfinished", lambda r: say(n,"<<",r.method,r.url[20:70]) if LOG else None)
            page.on("requestfailed", lambda r: say(n,"!!",r.method,r.url[20:70], r.failure) if LOG else None)
        LOG=False
        watch(rater.page,1)
        rater.open(ahead=AHEAD); session=Session(rater)
        t=time.monotonic(); session.press(40); say("40 presses", time.monotonic()-t)
        p=context.new_page(); watch(p,2); second=tab_of(rater,p)
        LOG=True
        for i in range(14):
            for n,tab in ((1,rater),(2,second)):
                t=time.monotonic(); 
                tab.page.wait_for_timeout(1)
                state=tab.page.evaluate("JSON.stringify({...document.querySelector('main.train').dataset})")
                session.press(1,tab); d=time.monotonic()-t
                say("PRESS",n,round(d,2), state if d>1 else "")
        session.is_ready_to_be_alone()
        server.kill(); say("KILLED")
        for i in range(10):
            t=time.monotonic(); state=rater.page.evaluate("JSON.stringify({...document.querySelector('main.train').dataset})")
            session.press(1); d=time.monotonic()-t
            say("PRESS dead",round(d,2), state if d>1 else "")
        server.start()
