import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Sends a message by both clients of the JDK as they come, twice each: URL KEY CONNECTOR BODY. Prints each status. In
 * the end one client waits to be told to go on, with a body and without one.
 */
class Send {
    public static void main(String[] given) throws Exception {
        HttpClient client = HttpClient.newHttpClient(); // which offers h2c on the first request of a connection
        for (int time = 0; time < 2; time++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(given[0]))
                .header("Content-Type", "application/json")
                .header("X-PolyAi-Auth-Token", given[1])
                .header("X-TOKEN-ID", given[2])
                .POST(HttpRequest.BodyPublishers.ofString(given[3]))
                .build();
            System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
        }
        for (int time = 0; time < 2; time++) {
            HttpURLConnection connection = (HttpURLConnection) URI.create(given[0]).toURL().openConnection();
            connection.setRequestProperty("Content-Type", "application/json");
            connection.setRequestProperty("X-PolyAi-Auth-Token", given[1]);
            connection.setRequestProperty("X-TOKEN-ID", given[2]);
            connection.setDoOutput(true);
            try (OutputStream body = connection.getOutputStream()) {
                body.write(given[3].getBytes(StandardCharsets.UTF_8));
            }
            System.out.println(connection.getResponseCode());
            connection.getInputStream().readAllBytes();
        }
        var bodies = new HttpRequest.BodyPublisher[] {
            HttpRequest.BodyPublishers.ofString(given[3]), HttpRequest.BodyPublishers.noBody()
        };
        for (HttpRequest.BodyPublisher body : bodies) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(given[0]))
                .header("Content-Type", "application/json")
                .header("X-PolyAi-Auth-Token", given[1])
                .header("X-TOKEN-ID", given[2])
                .expectContinue(true)
                .timeout(Duration.ofSeconds(20))
                .POST(body)
                .build();
            System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
        }
    }
}
